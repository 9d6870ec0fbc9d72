import type { ConsentItem, ConsentView, ConsentWork } from "../../protocol/consent.ts";
import { originOf } from "../base/endpoint.ts";
import type { Project } from "../config/project.ts";
import { memberPath, membersOf } from "../config/teacher.ts";
import { servedBy } from "../config/tiles.ts";
import { linesOf } from "../config/yamlDocument.ts";
import {
  downloadItems,
  endpointItems,
  interpreterItem,
  type PlacelessItem,
  rendezvousItem,
  serverItem,
} from "./items.ts";
import { isApproved } from "./store.ts";

export { forget, isApproved, notApproved, remember } from "./store.ts";

type Named = Pick<Project, "config" | "root" | "configFile">;

/** All that a config names and that some work would run, or send a secret to. Reads files, runs nothing. */
export function consentItems(project: Named, work: ConsentWork): ConsentItem[] {
  const { config, root } = project;
  const members = membersOf(config.teacher);
  const needs = needsOf[work];
  const found: PlacelessItem[] = [];
  const trains =
    needs.trainer ||
    (needs.teacher && members.some(({ kind }) => kind === "transformers" || kind === "clip"));
  // The user's own interpreter comes before the config's, which then is not run.
  if (trains && config.python.interpreter && !process.env.LEAF_PYTHON)
    found.push(interpreterItem(config.python.interpreter, root));
  // As with the interpreter, the user's own word comes first.
  const { rendezvous } = config.distill.launch ?? {};
  if (needs.launches && rendezvous && !process.env.LEAF_RENDEZVOUS) found.push(rendezvousItem(rendezvous));
  for (const [at, teacher] of needs.teacher ? members.entries() : []) {
    const own: PlacelessItem[] = [];
    if (teacher.kind === "openai") {
      const serve = servedBy(teacher);
      if (serve) own.push(serverItem(serve, root));
      own.push(...endpointItems(teacher, process.env));
    }
    if (teacher.kind === "clip") own.push(...downloadItems(teacher, root));
    const place = memberPath(config.teacher, at);
    found.push(...own.map((item) => ({ ...item, path: [...place, ...item.path.slice(1)] })));
  }
  return placed(found, project.configFile);
}

const needsOf: Record<ConsentWork, { teacher: boolean; trainer: boolean; launches?: boolean }> = {
  run: { teacher: true, trainer: true, launches: true },
  experiment: { teacher: true, trainer: true, launches: true },
  label: { teacher: true, trainer: false },
  dryRun: { teacher: true, trainer: false },
  distill: { teacher: false, trainer: true, launches: true },
  calibrate: { teacher: false, trainer: true },
  probe: { teacher: false, trainer: true },
  evaluate: { teacher: false, trainer: false },
  env: { teacher: false, trainer: false },
};

/** The same for several configs, such as an experiment's rows, each once. */
export function allConsentItems(projects: readonly Named[], work: ConsentWork): ConsentItem[] {
  const items = projects.flatMap((project) => consentItems(project, work));
  return [...new Map(items.map((item) => [item.digest, item])).values()];
}

/** What the user has not decided yet. */
export function openConsent(projects: readonly Named[], work: ConsentWork): ConsentView {
  const origins = needsOf[work].teacher ? projects.flatMap(keyOrigins) : [];
  return {
    items: allConsentItems(projects, work).filter((item) => !isApproved(item)),
    keyOrigins: [...new Set(origins)],
  };
}

/** What a key that the editor keeps is for, where the config names no variable. */
export function keyOrigins({ config }: Pick<Named, "config">): string[] {
  return membersOf(config.teacher).flatMap((teacher) => {
    if (teacher.kind !== "openai" || teacher.keyEnv !== undefined) return [];
    return teacher.serve ? [ownServer] : [teacher.endpoint ?? []].flat().map(originOf);
  });
}

/** Stands for the origin of a server that LEAF starts: its port is another each time. */
export const ownServer = "server";

function placed(items: PlacelessItem[], file: string): ConsentItem[] {
  if (items.length === 0) return [];
  const lineOf = linesOf(file);
  return items.map((item) => ({ ...item, file, line: lineOf(item.path) ?? null }));
}
