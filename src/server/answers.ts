import { type CancellationToken, type Connection, ResponseError } from "vscode-languageserver/node";
import { stackOf } from "../engine/base/errorLog.ts";
import { LeafError } from "../engine/base/errors.ts";
import { firstIssue } from "../engine/base/json.ts";
import { failureOf } from "../engine/base/unexpected.ts";
import { requestParams } from "../protocol/schema/server.ts";
import type { ParamsOf, ResultOf, ServerMethod } from "../protocol/server.ts";
import { say } from "../words/text.ts";
import { wordedFailure } from "./locale.ts";

/** JSON-RPC's code for an error of the request's own making, and for one of ours. */
const refused = -32803;
const internal = -32603;

/** Answers one of LEAF's own requests; what is thrown goes back as a `Failure`. */
export type Answer = <M extends ServerMethod>(
  method: M,
  work: (params: ParamsOf<M>, signal: AbortSignal) => Promise<ResultOf<M>> | ResultOf<M>,
) => void;

export function answering(connection: Connection): Answer {
  return (method, work) => {
    connection.onRequest(method, async (params: unknown, token: CancellationToken): Promise<unknown> => {
      const controller = new AbortController();
      token.onCancellationRequested(() => controller.abort());
      try {
        return await work(checked(method, params), controller.signal);
      } catch (error) {
        const failure = failureOf(error, { doing: say`${method} was answered` });
        const isBug = failure.code === "internal";
        if (isBug) connection.console.error(`${failure.message}\n${stackOf(error)}`);
        const shown = wordedFailure(failure);
        throw new ResponseError(isBug ? internal : refused, shown.message, shown);
      }
    });
  };
}

/** Throws LeafError `input` for parameters that do not fit the request. */
function checked<M extends ServerMethod>(method: M, params: unknown): ParamsOf<M> {
  const result = requestParams[method].safeParse(params ?? {});
  if (result.success) return result.data as ParamsOf<M>;
  throw new LeafError("input", say`${method} cannot be answered: ${firstIssue(result.error)}.`);
}
