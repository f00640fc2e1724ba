// The telemetry WebSocket: hands over each document, says how it stands, and comes back by itself.
export class Stream {
  constructor(device, onDocument, onState) {
    this.onDocument = onDocument;
    this.onState = onState;
    this.pause = 1;
    this.open(device);
  }

  open(device) {
    this.close();
    this.device = device;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/dersim/telemetry/ws?device=${device}`);
    this.socket = socket;
    socket.onmessage = (event) => {
      this.pause = 1;
      this.onState("live");
      this.onDocument(JSON.parse(event.data));
    };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.onState("lost");
      this.timer = setTimeout(() => this.open(this.device), this.pause * 1000);
      this.pause = Math.min(this.pause * 2, 8);
    };
  }

  close() {
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = null;
    if (socket) socket.close();
  }
}
