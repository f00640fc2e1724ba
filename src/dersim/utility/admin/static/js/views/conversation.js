// The conversation with the devices: every exchange with its verdict, as on the dashboard.
import { mount, OF_SERVER } from "../pages/conversation.js";

export const view = {
  title: "Conversation",
  show(root, context) {
    return mount(root, context, OF_SERVER).unmount;
  },
};
