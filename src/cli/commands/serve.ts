import { once } from "node:events";
import { isIP } from "node:net";
import { availableParallelism } from "node:os";
import path from "node:path";
import type { Command } from "commander";
import { LeafError, messageOf } from "../../engine/base/errors.ts";
import { knowSecrets } from "../../engine/base/redact.ts";
import { maxPixelsOf } from "../../engine/images/limits.ts";
import { chosenStudent } from "../../engine/scoring/score.ts";
import { scoringService } from "../../engine/serving/app.ts";
import { judgePicture, openStudent } from "../../engine/student/student.ts";
import { studentWords } from "../../words/student.ts";
import { say } from "../../words/text.ts";
import { english } from "../../words/translate.ts";
import { findProject, projectHere } from "../context.ts";
import type { Run } from "../run.ts";
import { stopping } from "../stopping.ts";
import { wholeNumber } from "../wholeNumber.ts";

const tokenVariable = "LEAF_SERVE_TOKEN";
const graceMs = 30_000;
const MiB = 2 ** 20;

interface Arguments {
  student?: string;
  host: string;
  port: string;
  concurrency?: string;
  maxRequests: string;
  maxBody: string;
}

/** Scores over HTTP, so that a build or a service need not start a process for each image. */
export function addServeCommand(program: Command, run: Run): void {
  program
    .command("serve")
    .description(`score images over HTTP; ${tokenVariable} names the token that callers must send`)
    .option(
      "--student <folder>",
      "an exported student, by its folder or URL (default: the newest of this config)",
    )
    .option("--host <address>", "address to listen on; one that others can reach needs a token", "127.0.0.1")
    .option("--port <n>", "port to listen on; 0 takes a free one", "8700")
    .option("--concurrency <n>", "images looked at at a time (default: twice the cores)")
    .option(
      "--max-requests <n>",
      "requests that may wait or be under way; more are told to come again",
      "256",
    )
    .option("--max-body <MB>", "the largest request", "64")
    .action((options: Arguments, command) =>
      run(async (context) => {
        const { host } = options;
        const token = process.env[tokenVariable] || undefined;
        knowSecrets([token]);
        if (!isLoopback(host) && token === undefined)
          throw new LeafError(
            "usage",
            say`${host} can be reached by other machines, and there is no token.`,
            {
              remedy: say`Put a token into the variable ${tokenVariable}.`,
            },
          );
        const limits = {
          port: wholeNumber("--port", options.port, 0, 65_535),
          concurrency: wholeNumber(
            "--concurrency",
            options.concurrency ?? `${2 * availableParallelism()}`,
            1,
            1024,
          ),
          maxRequests: wholeNumber("--max-requests", options.maxRequests, 1, 1e6),
          maxBodyBytes: wholeNumber("--max-body", options.maxBody, 1, 1024) * MiB,
        };
        const project = options.student ? await projectHere(context) : await findProject(context);
        const chosen = await chosenStudent(project, options.student, context.signal);
        const student = await openStudent(path.resolve(chosen.folder));
        try {
          // The first run of a network takes several times as long as the next.
          await judgePicture(student, { width: 256, height: 256, data: Buffer.alloc(256 * 256 * 3, 128) });
          const app = scoringService(student, {
            ...limits,
            token,
            maxInsideBytes: 4 * limits.maxBodyBytes,
            maxPixels: maxPixelsOf(project?.config),
          });
          const url = await app.listen({ host, port: limits.port }).catch((error: unknown) => {
            throw new LeafError(
              "failed",
              say`LEAF cannot listen on ${host}:${limits.port} (${messageOf(error)}).`,
              {
                cause: error,
              },
            );
          });
          stopping.withinMs = graceMs;
          const { stage } = student.card;
          context.print(
            {
              url,
              token: token !== undefined,
              student: { ...chosen, stage, fingerprint: student.fingerprint },
            },
            `Serving ${studentWords(english, { ...chosen, stage })} on ${url}. Ctrl+C stops, after what was asked is answered.`,
          );
          if (!context.signal.aborted) await once(context.signal, "abort");
          await app.close();
        } finally {
          await student.close();
        }
      })(command),
    );
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
