// Shows the API's own document. Nothing is asked of another origin: the validator is another origin's.
// A token lives in this page only, and is gone when it is left.
SwaggerUIBundle({
  // Beside the folder of this script: a proxy may serve both under a prefix.
  url: new URL("../openapi.json", document.currentScript.src).href,
  dom_id: "#api",
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  validatorUrl: null,
});
