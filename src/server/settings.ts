import path from "node:path";
import type { ServerSettings } from "../protocol/server.ts";

/** Until the editor tells its own. */
export const defaultSettings: ServerSettings = {
  scoreNewImages: true,
  onClose: "continue",
  usePolling: false,
  pythonInterpreter: null,
  allowedKeyVariables: [],
  allowLinkLocal: false,
  cluster: null,
  proxy: null,
  noProxy: [],
};

type Environment = Record<string, string | undefined>;

/** The environment of the server and of all that it starts, by the user's settings; `inherited`: as it was at the start. */
export function environmentOf(settings: ServerSettings, inherited: Environment): Environment {
  const { pythonInterpreter, allowedKeyVariables, allowLinkLocal, proxy, noProxy } = settings;
  const python = pythonInterpreter ?? inherited.LEAF_PYTHON;
  const allowed = [inherited.LEAF_ALLOWED_KEY_ENV, ...allowedKeyVariables].filter(Boolean).join(",");
  return {
    // A job starts in the folder of its config, whose files are not the user's.
    LEAF_PYTHON: python && /[\\/]/.test(python) ? path.resolve(python) : python,
    LEAF_ALLOWED_KEY_ENV: allowed || undefined,
    LEAF_ALLOW_LINK_LOCAL: allowLinkLocal ? "1" : inherited.LEAF_ALLOW_LINK_LOCAL,
    ...proxyVariables(proxy, noProxy, inherited),
  };
}

function proxyVariables(proxy: string | null, noProxy: string[], inherited: Environment): Environment {
  const names = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"];
  const exempt = [inherited.no_proxy ?? inherited.NO_PROXY, ...noProxy].filter(Boolean).join(",");
  const told = (name: string) => [name, proxy ?? inherited[name]] as const;
  return {
    ...Object.fromEntries(names.map(told)),
    ...(noProxy.length > 0
      ? { no_proxy: exempt, NO_PROXY: exempt }
      : { no_proxy: inherited.no_proxy, NO_PROXY: inherited.NO_PROXY }),
  };
}
