// The telemetry WebSocket: hands over each document, says how it stands, and comes back by itself.
// patience: so many seconds without a document are a loss.
export class Stream {
  constructor(device, onDocument, onState) {
    this.onDocument = onDocument;
    this.onState = onState;
    this.pause = 1;
    this.patience = 15;
    this.open(device);
  }

  open(device) {
    this.close();
    this.device = device;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const which = device ? `?device=${device}` : "";
    const socket = new WebSocket(`${scheme}://${location.host}/api/dersim/telemetry/ws${which}`);
    this.socket = socket;
    this.watch();
    socket.onmessage = (event) => {
      this.pause = 1;
      this.watch();
      this.onState("live");
      this.onDocument(JSON.parse(event.data));
    };
    socket.onclose = () => {
      if (this.socket === socket) this.lose();
    };
  }

  // A network that is gone closes nothing: silence is a loss too.
  watch() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.lose(), this.patience * 1000);
  }

  lose() {
    this.close();
    this.onState("lost");
    this.timer = setTimeout(() => this.open(this.device), this.pause * 1000);
    this.pause = Math.min(this.pause * 2, 8);
  }

  close() {
    clearTimeout(this.timer);
    clearTimeout(this.silence);
    const socket = this.socket;
    this.socket = null;
    if (socket) socket.close();
  }
}
