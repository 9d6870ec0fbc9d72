import { readFileSync, realpathSync, statfsSync } from "node:fs";
import path from "node:path";

/** File systems of other machines, as Linux's mount table names them. */
const shares = [
  ...["nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "lustre", "gpfs", "beegfs"],
  ...["glusterfs", "9p", "sshfs", "s3fs", "gcsfuse", "rclone", "davfs", "juicefs", "goofys", "blobfuse2"],
];

/** What `statfs` calls them, where the mount table cannot be read (linux/magic.h). */
const magic = new Map([
  [0x6969, "nfs"],
  [0x517b, "smb"],
  [0xff534d42, "cifs"],
  [0xfe534d42, "smb2"],
  [0x5346414f, "afs"],
  [0x00c36400, "ceph"],
  [0x0bd00bd0, "lustre"],
  [0x47504653, "gpfs"],
  [0x19830326, "beegfs"],
  [0x01021997, "9p"],
]);

/** The network file system that a folder is on, by its name; undefined on a local disk, and where the system does not tell (macOS). */
export function networkShare(folder: string): string | undefined {
  const real = realOf(folder);
  if (process.platform === "win32") return isUnc(real) ? "smb" : undefined;
  if (process.platform !== "linux") return undefined;
  try {
    return shareIn(readFileSync("/proc/self/mountinfo", "utf8"), real);
  } catch {
    return shareOfType(statfsSync(real).type);
  }
}

/** By a mount table (`/proc/self/mountinfo`): the deepest mount above a path says what it is on, the last of several at one place. */
export function shareIn(mountinfo: string, target: string): string | undefined {
  let [found, depth] = ["", -1];
  for (const line of mountinfo.split("\n")) {
    const [before, after] = line.split(" - ");
    const [mounted, type] = [before?.split(" ")[4], after?.split(" ")[0]];
    if (!mounted || !type) continue;
    const place = mounted.replaceAll(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(parseInt(code, 8)));
    const inside = place === "/" || target === place || target.startsWith(`${place}/`);
    if (inside && place.length >= depth) [found, depth] = [type, place.length];
  }
  const name = found.replace(/^fuse\./, "");
  return shares.includes(name) ? name : undefined;
}

export function shareOfType(type: number): string | undefined {
  return magic.get(type >>> 0);
}

export function isUnc(folder: string): boolean {
  return /^[\\/]{2}(?![.?][\\/](?!UNC[\\/]))/i.test(folder);
}

/** Of the deepest folder that exists. */
function realOf(folder: string): string {
  try {
    return realpathSync.native(folder);
  } catch {
    const above = path.dirname(folder);
    return above === folder ? folder : path.join(realOf(above), path.basename(folder));
  }
}
