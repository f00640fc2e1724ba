// The admin port's addresses, made from its /openapi.json.
import { mount } from "./js/pages/api.js";

mount(document.getElementById("main"));
