import type {
  ICredentialDataDecryptedObject,
  ICredentialTestRequest,
  ICredentialType,
  Icon,
  IHttpRequestOptions,
  INodeProperties,
} from 'n8n-workflow';

/** Where a Rollcall server is, and the API key that opens it. */
export class RollcallApi implements ICredentialType {
  name = 'rollcallApi';

  displayName = 'Rollcall API';

  icon: Icon = { light: 'file:rollcall.svg', dark: 'file:rollcall.dark.svg' };

  documentationUrl = 'https://github.com/rollcall-dev/n8n-nodes-rollcall#credentials';

  properties: INodeProperties[] = [
    {
      displayName: 'Base URL',
      name: 'baseUrl',
      type: 'string',
      default: 'http://127.0.0.1:7655',
      required: true,
      placeholder: 'e.g. https://rollcall.example.com',
      description: 'Address of the Rollcall server as n8n reaches it, without a path',
    },
    {
      displayName: 'API Key',
      name: 'apiKey',
      type: 'string',
      typeOptions: { password: true },
      default: '',
      required: true,
      placeholder: 'e.g. rc_...',
      description:
        'A Rollcall API key. Telemetry Emit needs the scope telemetry:write, Register Workflow registry:write, Check Gaps gaps:read and, to run a check, gaps:write, Rollcall Trigger gaps:read, gaps:write and, for state changes, registry:read.',
    },
  ];

  /**
   * A method rather than n8n's declarative form: that one evaluates an expression, which n8n refuses
   * once a tool call or an execution is over, and telemetry may still be on its way then.
   */
  authenticate(
    { apiKey }: ICredentialDataDecryptedObject,
    request: IHttpRequestOptions,
  ): Promise<IHttpRequestOptions> {
    const headers = { ...request.headers, Authorization: `Bearer ${(apiKey as string).trim()}` };
    return Promise.resolve({ ...request, headers });
  }

  test: ICredentialTestRequest = {
    request: {
      baseURL: '={{$credentials.baseUrl.trim().replace(/\\/+$/, "")}}',
      url: '/api/v1/whoami',
      timeout: 10000,
    },
  };
}
