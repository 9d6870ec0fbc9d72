import { say } from "../../../words/text.ts";
import { decideEndpoint } from "../../base/endpoint.ts";
import { LeafError } from "../../base/errors.ts";

/** Where a student lies: a folder's URL, and what its `student.sha256` must hash to, where that is known. */
export interface RemoteStudent {
  /** Without the fragment and a slash at its end. */
  base: string;
  pin?: string;
}

/** Whether a student is named by a URL; anything else is a folder. */
export function isRemote(named: string): boolean {
  return /^(https?|s3):\/\//i.test(named);
}

/** Without what may be a secret. */
export function shown(url: string): string {
  if (!URL.canParse(url)) return url.slice(0, 80);
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

/** Throws LeafError `usage` for a URL that is not https, s3, or http of this machine, or whose fragment is no checksum. */
export function remoteStudent(named: string): RemoteStudent {
  const url = URL.canParse(named) ? new URL(named) : undefined;
  if (!url?.hostname) throw new LeafError("usage", say`${shown(named)} is no URL.`);
  const fragment = url.hash;
  url.hash = "";
  if (url.username || url.password)
    throw new LeafError("usage", say`The URL of a student must not hold a user or a password.`, {
      remedy: say`For S3 they come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`,
    });
  if (url.search)
    throw new LeafError("usage", say`The URL of a student names a folder: it has no query.`, {
      remedy: say`Name the folder that holds student.sha256.`,
    });
  refusePlain(url.href);
  const pin = /^#sha256=([0-9a-f]{64})$/i.exec(fragment)?.[1]?.toLowerCase();
  if (fragment && !pin)
    throw new LeafError("usage", say`${fragment.slice(0, 80)} is no checksum.`, {
      remedy: say`Write \`#sha256=\` and the 64 digits that \`leaf export student\` printed.`,
    });
  return { base: url.href.replace(/\/+$/, ""), ...(pin && { pin }) };
}

/** Weights that came over plain HTTP may be anybody's. */
export function refusePlain(url: string): void {
  if (!/^http:/i.test(url)) return;
  const decided = decideEndpoint(url, [], { allowLinkLocal: true });
  if (decided.allowed && decided.local) return;
  throw new LeafError("usage", say`${shown(url)} is plain HTTP: what comes may be anybody's.`, {
    remedy: say`Use https or s3.`,
  });
}
