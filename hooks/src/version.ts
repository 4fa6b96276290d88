/** Of this package; stands in every event. */
export const HOOKS_VERSION = '0.1.0';
