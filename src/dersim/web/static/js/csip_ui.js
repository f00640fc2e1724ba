// The CSIP management UI: the client's pages alone.
import { startShell, startTheme } from "./shell.js";

startTheme();
startShell({
  site: "CSIP management",
  pages: [
    { name: "csip", title: "CSIP Client", load: () => import("./pages/csip.js") },
    { name: "resources", title: "DER resources", load: () => import("./pages/resources.js") },
    { name: "conversation", title: "Conversation", load: () => import("./pages/conversation.js") },
    { name: "logs", title: "Logs", load: () => import("./pages/logs.js") },
    { name: "api", title: "API", load: () => import("./pages/api.js") },
  ],
});
