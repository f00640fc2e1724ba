// The dashboard: its pages, each loaded when it is first opened.
import { startShell, startTheme } from "./shell.js";

startTheme();
startShell({
  site: "dashboard",
  panels: true,
  pages: [
    { name: "overview", title: "Overview", load: () => import("./pages/overview.js") },
    { name: "fleet", title: "Fleet", load: () => import("./pages/fleet.js") },
    { name: "csip", title: "CSIP Client", load: () => import("./pages/csip.js") },
    { name: "timeline", title: "Controls timeline", load: () => import("./pages/timeline.js") },
    { name: "conversation", title: "Conversation", load: () => import("./pages/conversation.js") },
    { name: "grid", title: "Grid support", load: () => import("./pages/grid.js") },
    { name: "inputs", title: "Simulation inputs", load: () => import("./pages/inputs.js") },
    { name: "dciv", title: "DC I-V curve", load: () => import("./pages/dciv.js") },
    { name: "analytics", title: "Analytics", load: () => import("./pages/analytics.js") },
    { name: "nameplate", title: "Nameplate", load: () => import("./pages/nameplate.js") },
    { name: "logs", title: "Logs", load: () => import("./pages/logs.js") },
    { name: "plugins", title: "Plugins", load: () => import("./pages/plugins.js") },
    { name: "api", title: "API", load: () => import("./pages/api.js") },
  ],
});
