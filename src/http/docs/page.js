// This is a file of its own because the page's content security policy forbids inline scripts.
SwaggerUIBundle({
  url: 'openapi.yaml',
  dom_id: '#description',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  showExtensions: true,
  tryItOutEnabled: false,
  // The default is a third-party service, which the content security policy blocks.
  validatorUrl: null,
});
