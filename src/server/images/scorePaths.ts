import { statSync } from "node:fs";
import { type Connection, WorkDoneProgress } from "vscode-languageserver/node";
import type { ScorerProcess } from "../../engine/scoring/process.ts";
import type { ResultOf } from "../../protocol/server.ts";
import { count } from "../../words/figure.ts";
import { percentOf } from "../../words/progress.ts";
import { t } from "../locale.ts";
import type { LiveProject } from "../project.ts";
import { isInside, type Projects } from "../projects.ts";
import { fileOf, uriOf } from "../uris.ts";
import { findImage } from "./findImage.ts";
import { scoreNow } from "./score.ts";

const everyMs = 200;
const pageRows = 1000;

interface Options {
  signal: AbortSignal;
  workDoneToken?: string | number;
  onScored: (files: string[]) => void;
}

/** Scores files and all images of folders anew, each with its project's scorer. */
export async function scorePaths(
  projects: Projects,
  scorer: ScorerProcess,
  connection: Connection,
  paths: string[],
  { signal, workDoneToken, onScored }: Options,
): Promise<ResultOf<"leaf/score">> {
  const failed: { uri: string; reason: string }[] = [];
  const work = new Map<LiveProject, { hash: string; file: string }[]>();
  const add = (project: LiveProject, image: { hash: string; file: string }) => {
    const images = work.get(project) ?? [];
    images.push(image);
    work.set(project, images);
  };
  for (const file of paths) {
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
      let any = false;
      for await (const { project, image } of imagesBelow(projects, file)) {
        add(project, image);
        any = true;
      }
      if (!any) failed.push({ uri: uriOf(file), reason: t("no project has images in this folder") });
      continue;
    }
    const found = await findImage(projects, file);
    if (found) add(found.project, { hash: found.row.hash, file });
    else failed.push({ uri: uriOf(file), reason: t("it is no readable image of a project") });
  }
  const total = [...work.values()].reduce((sum, images) => sum + images.length, 0);
  const report = reporter(connection, workDoneToken, total);
  let [done, scored] = [0, 0];
  try {
    for (const [project, images] of work) {
      const fileOfHash = new Map(images.map(({ hash, file }) => [hash, file]));
      const result = await scoreNow(scorer, project, images, {
        signal,
        onDone: (here) => report.show(done + here),
      });
      done += images.length;
      scored += result.scored.length;
      onScored(result.scored.map((hash) => fileOfHash.get(hash)!));
      for (const { hash, reason } of result.failed)
        failed.push({ uri: uriOf(fileOfHash.get(hash)!), reason: t(reason) });
    }
  } finally {
    report.end();
  }
  return { scored, failed };
}

async function* imagesBelow(projects: Projects, folder: string) {
  for (const project of projects.all()) {
    const browser = await project.browser().catch(() => undefined);
    if (!browser) continue;
    for (let offset = 0; ; offset += pageRows) {
      const { rows } = await browser.images({ sort: "path", descending: false, offset, limit: pageRows });
      for (const { hash, uri } of rows) {
        const file = fileOf(uri);
        if (isInside(folder, file)) yield { project, image: { hash, file } };
      }
      if (rows.length < pageRows) break;
    }
  }
}

/** The editor's own progress, under the token it sent. */
function reporter(connection: Connection, token: string | number | undefined, total: number) {
  let told = Number.NEGATIVE_INFINITY;
  const send = (value: object) => {
    if (token !== undefined) void connection.sendProgress(WorkDoneProgress.type, token, value as never);
  };
  send({ kind: "begin", title: t("Scoring"), percentage: 0, cancellable: true });
  return {
    show(done: number) {
      if (performance.now() - told < everyMs && done < total) return;
      told = performance.now();
      send({
        kind: "report",
        message: t("{0} of {1}", count(done), count(total)),
        percentage: percentOf({ done, total }) ?? 0,
      });
    },
    end: () => send({ kind: "end" }),
  };
}
