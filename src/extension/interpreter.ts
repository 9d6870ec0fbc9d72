import { type Disposable, type Event, EventEmitter, extensions, workspace } from "vscode";

/** Setting that stands for "whatever the Python extension has chosen", as other extensions write it. */
export const fromPythonExtension = "$" + "{command:python.interpreterPath}";

/** The part of the Python extension's public interface (ms-python.python) that is read here. */
interface PythonExtension {
  environments: {
    getActiveEnvironmentPath(): { path: string };
    onDidChangeActiveEnvironmentPath: Event<unknown>;
    resolveEnvironment(
      path: string | { path: string },
    ): Promise<{ executable: { uri?: { fsPath: string } } } | undefined>;
  };
}

const changed = new EventEmitter<void>();
let following: Disposable | undefined;

/** Tells that the Python extension's interpreter changed, while it is the chosen one. */
export function onPythonExtensionChange(listener: () => void): Disposable {
  const subscription = changed.event(listener);
  return {
    dispose() {
      subscription.dispose();
      following?.dispose();
      following = undefined;
    },
  };
}

/** Path of the interpreter set by the user; null: the managed environment, or whatever the config says. */
export async function chosenInterpreter(): Promise<string | null> {
  const chosen = workspace.getConfiguration("leaf").get("python.interpreter", "").trim();
  if (chosen !== fromPythonExtension) return chosen || null;
  return pythonExtensionInterpreter();
}

/** The interpreter that the Python extension has chosen; null without that extension. */
export async function pythonExtensionInterpreter(): Promise<string | null> {
  const extension = extensions.getExtension<PythonExtension>("ms-python.python");
  if (!extension) return null;
  const { environments } = extension.isActive ? extension.exports : await extension.activate();
  following ??= environments.onDidChangeActiveEnvironmentPath(() => changed.fire());
  const active = environments.getActiveEnvironmentPath();
  const resolved = await environments.resolveEnvironment(active);
  return resolved?.executable.uri?.fsPath ?? active.path ?? null;
}
