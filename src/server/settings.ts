import type { ServerSettings } from "../protocol/server.ts";

/** Until the editor tells its own. */
export const defaultSettings: ServerSettings = {
  scoreNewImages: true,
  onClose: "continue",
  usePolling: false,
  pythonInterpreter: null,
};
