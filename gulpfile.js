const { dest, src } = require('gulp');

const BESIDE_THE_CODE = ['nodes/**/*.{svg,node.json}', 'credentials/**/*.svg'];

/** Puts icons and codex files where n8n looks for them: beside the compiled nodes. */
function assets() {
  return src(BESIDE_THE_CODE, { base: '.', encoding: false }).pipe(dest('dist'));
}

exports.default = assets;
