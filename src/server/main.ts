import { setLanguage } from "./locale.ts";
import "../engine/base/noTelemetry.ts";
import { existsSync } from "node:fs";
import path from "node:path";
import {
  createConnection,
  DidChangeWatchedFilesNotification,
  FileChangeType,
  ProposedFeatures,
  TextDocumentSyncKind,
  TextDocuments,
} from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import { onDamagedFile } from "../engine/base/damage.ts";
import { stackOf } from "../engine/base/errorLog.ts";
import { errnoCode } from "../engine/base/errors.ts";
import { knowSecrets, secretsOf } from "../engine/base/redact.ts";
import { keptKeysName } from "../engine/base/teacherKeys.ts";
import { version } from "../engine/base/version.ts";
import type { Project } from "../engine/config/project.ts";
import { keyOrigins } from "../engine/consent/needed.ts";
import type { ClientNotifications, ServerSettings, ServerStart } from "../protocol/server.ts";
import { answering } from "./answers.ts";
import { isExperimentUri } from "./language/experiments/places.ts";
import { registerLanguage } from "./language/register.ts";
import { notifying, throttled } from "./notices.ts";
import { openProjects } from "./projects.ts";
import { answerConsent } from "./requests/consent.ts";
import { answerEnvironment } from "./requests/environment.ts";
import { answerExperiments } from "./requests/experiments.ts";
import { answerImages } from "./requests/images.ts";
import { answerJobs } from "./requests/jobs.ts";
import { answerPeople } from "./requests/people.ts";
import { answerProjects } from "./requests/projects.ts";
import { answerRuns } from "./requests/runs.ts";
import { answerTeacher } from "./requests/teacher.ts";
import { openScorer } from "./scorer.ts";
import { defaultSettings, environmentOf } from "./settings.ts";
import { fileOf, uriOf } from "./uris.ts";

// The language server: the one backend of a window. It thinks, the editor draws; long work runs in processes of its own.
const connection = createConnection(ProposedFeatures.all);
// One thing that goes wrong must not take the window's whole backend with it.
for (const event of ["uncaughtException", "unhandledRejection"] as const)
  process.on(event, (error: unknown) => {
    // The editor has gone: nobody is left to work for.
    if (errnoCode(error) === "EPIPE" || errnoCode(error) === "ERR_IPC_CHANNEL_CLOSED") process.exit(1);
    connection.console.error(stackOf(error));
  });
const documents = new TextDocuments(TextDocument);
const answer = answering(connection);
const { send } = notifying(connection);
const scorer = openScorer();
// Windows would look for a program in the current folder first, which may be a stranger's.
if (process.platform === "win32") process.env.NoDefaultCurrentDirectoryInExePath = "1";
const inherited = { ...process.env };
knowSecrets(secretsOf(inherited).filter((value) => value.length >= 8));
let settings = defaultSettings;

const listeners = new Set<(uri?: string) => void>();
const tellChanged = throttled(250, () => {
  send("leaf/changed", { projects: projects.all().map((one) => one.snapshot()) });
  for (const listener of listeners) listener();
});
const projects = openProjects(scorer, settings, (file) => ({
  onChanged: tellChanged,
  onJobEvents(job, events) {
    send("leaf/jobEvents", { config: uriOf(file), job, events });
  },
  onScores(project, paths, all) {
    send("leaf/scoresChanged", { uris: paths.map((one) => uriOf(path.join(project.root, one))), all });
  },
  onError: (error) => connection.console.error(stackOf(error)),
}));

onDamagedFile((sentence) => connection.console.warn(sentence));

answerProjects(answer, projects);
answerConsent(answer, projects);
answerJobs(answer, projects, keysFor);
answerTeacher(answer, projects, keysFor);
answerExperiments(answer, projects, keysFor);
answerRuns(answer, projects);
answerPeople(answer, projects);
answerImages(answer, projects, scorer, connection, (files) => {
  send("leaf/scoresChanged", { uris: files.slice(0, 200).map(uriOf), all: files.length > 200 });
});
answerEnvironment(answer, projects);
registerLanguage(connection, documents, {
  snapshotOf: (uri) => find(uri)?.snapshot(),
  factsOf: (uri) => find(uri)?.facts() ?? [],
  runsOf: (uri) => find(uri)?.runs() ?? [],
  onDidChange(listener) {
    listeners.add(listener);
    return { dispose: () => listeners.delete(listener) };
  },
});

function find(uri: string) {
  return projects.all().find((one) => one.file === fileOf(uri));
}

/** Kept in memory, handed to jobs as environment variables; never in a log, a file or an answer. */
let teacherKeys: Record<string, string> = {};
connection.onNotification("leaf/secrets", (told: ClientNotifications["leaf/secrets"]) => {
  teacherKeys = { ...told.teacherKeys };
  knowSecrets(Object.values(teacherKeys));
});
/** Only the keys of the endpoints that are about to be asked. */
function keysFor(configs: readonly Pick<Project, "config">[]): Record<string, string> {
  const origins = configs.flatMap(keyOrigins).filter((origin) => Object.hasOwn(teacherKeys, origin));
  if (origins.length === 0) return {};
  const kept = Object.fromEntries(origins.map((origin) => [origin, teacherKeys[origin]]));
  return { [keptKeysName]: JSON.stringify(kept) };
}
connection.onNotification("leaf/settings", (next: ServerSettings) => {
  settings = next;
  for (const [name, value] of Object.entries(environmentOf(settings, inherited)))
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  projects.applySettings(settings);
});

let folders: string[] = [];
connection.onInitialize(({ workspaceFolders, rootUri, initializationOptions }) => {
  const told = initializationOptions as ServerStart | undefined;
  if (told?.bundle) setLanguage(told.bundle);
  folders = (workspaceFolders ?? (rootUri ? [{ uri: rootUri }] : []))
    .filter(({ uri }) => uri.startsWith("file:"))
    .map(({ uri }) => fileOf(uri));
  return {
    capabilities: {
      textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental, save: true },
      completionProvider: { triggerCharacters: [" ", ":", "/", "{", ",", '"', "'"], resolveProvider: false },
      hoverProvider: true,
      codeActionProvider: { codeActionKinds: ["quickfix"] },
      codeLensProvider: { resolveProvider: false },
      documentLinkProvider: { resolveProvider: false },
      documentSymbolProvider: true,
      foldingRangeProvider: true,
      workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
    },
    serverInfo: { name: "leaf", version },
  };
});
connection.onInitialized(() => {
  void projects.discover(folders);
  void connection.client
    .register(DidChangeWatchedFilesNotification.type, {
      watchers: [{ globPattern: "**/{leaf,*.leaf,*.experiment}.yaml" }],
    })
    .catch(() => {}); // A client that does not watch files tells when it saves.
  connection.workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
    const gone = new Set(removed.map(({ uri }) => fileOf(uri)));
    folders = [...folders.filter((folder) => !gone.has(folder)), ...added.map(({ uri }) => fileOf(uri))];
    void projects.discover(folders);
  });
});
connection.onDidChangeWatchedFiles(({ changes }) => {
  // Believes the disk: git deletes a file and writes it again, and both words may come late.
  for (const { uri, type } of changes)
    void (
      type === FileChangeType.Deleted && !existsSync(fileOf(uri))
        ? projects.remove(fileOf(uri))
        : projects.touch(fileOf(uri))
    ).then(tellChanged);
});
documents.onDidOpen(({ document }) => void touch(document.uri));
documents.onDidSave(({ document }) => void touch(document.uri));

async function touch(uri: string): Promise<void> {
  if (uri.startsWith("file:")) await projects.touch(fileOf(uri));
  if (isExperimentUri(uri)) tellChanged();
}

let leaving: Promise<void> | undefined;
/** A window that closes in order lets its job go on (a setting); one that dies says nothing, and its job stops by itself. */
function leave(): Promise<void> {
  leaving ??= (async () => {
    if (settings.onClose === "stop") await Promise.all(projects.all().map((one) => one.jobs.stop()));
    await projects.close("released");
    await scorer.close();
  })();
  return leaving;
}
connection.onShutdown(leave);
connection.onExit(() => void leave().finally(() => process.exit(0)));

documents.listen(connection);
connection.listen();
