// The page's own content security policy forbids scripts in the page itself.
SwaggerUIBundle({
  url: 'openapi.yaml',
  dom_id: '#description',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  showExtensions: true,
  tryItOutEnabled: false,
  // Its default is a service elsewhere, which the policy would refuse.
  validatorUrl: null,
});
