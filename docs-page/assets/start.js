// Shows the API's own document. Nothing is asked of another origin: the validator is another origin's.
// A token lives in this page only, and is gone when it is left.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  validatorUrl: null,
});
