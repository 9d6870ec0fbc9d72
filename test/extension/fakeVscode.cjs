// @ts-nocheck: plain JavaScript that answers whatever is asked of it.
// Stands for the editor's API where only the extension's own start is looked at: counts and remembers what is registered.
const registered = {
  commands: [],
  views: [],
  hovers: 0,
  decorations: 0,
  serializers: [],
  contexts: {},
  started: 0,
};
const disposable = () => ({ dispose() {} });
class EventEmitter {
  event = disposable;
  fire() {}
  dispose() {}
}
const event = () => disposable();
const anything = new Proxy(class {}, {
  get: (_, name) => (name === "then" || typeof name === "symbol" ? undefined : anything),
  apply: () => anything,
  construct: () => anything,
});
const known = {
  EventEmitter,
  commands: {
    registerCommand(id) {
      registered.commands.push(id);
      return disposable();
    },
    executeCommand: async (id, key, value) => {
      if (id === "setContext") registered.contexts[key] = value;
    },
  },
  languages: {
    registerHoverProvider() {
      registered.hovers++;
      return disposable();
    },
  },
  l10n: { t: (text) => text, bundle: undefined },
  window: new Proxy(
    {
      createTreeView(id) {
        registered.views.push(id);
        return disposable();
      },
      registerFileDecorationProvider() {
        registered.decorations++;
        return disposable();
      },
      registerWebviewPanelSerializer(id) {
        registered.serializers.push(id);
        return disposable();
      },
      createOutputChannel() {
        registered.started++;
        return anything;
      },
      createStatusBarItem: disposable,
      createTextEditorDecorationType: disposable,
      visibleTextEditors: [],
      tabGroups: { onDidChangeTabs: event, onDidChangeTabGroups: event },
    },
    { get: (target, name) => target[name] ?? event },
  ),
  workspace: new Proxy(
    {
      textDocuments: [],
      findFiles: async () => [],
      createFileSystemWatcher: () => ({ onDidCreate: event, dispose() {} }),
      registerTextDocumentContentProvider: event,
      getConfiguration: () => ({ get: (_, fallback) => fallback }),
    },
    { get: (target, name) => target[name] ?? event },
  ),
};
module.exports = new Proxy(known, {
  get: (target, name) => (name === "registered" ? registered : (target[name] ?? anything)),
  has: () => true,
});
