export default {
  input: "openapi.json",
  output: { path: "hey", importFileExtension: ".js" }, // Node wants the endings of files
};
