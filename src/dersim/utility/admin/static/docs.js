// The admin port's addresses, made from its /openapi.json.
import { mount } from "./js/pages/api.js";
import { begin } from "./site.js";

mount(begin("/docs", "API"));
