import { tmpdir } from "node:os";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isUnc, networkShare, shareIn, shareOfType } from "../../../src/engine/base/networkShare.ts";

const table = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:41 / /home rw - nfs4 filer:/export/home rw,vers=4.2,addr=10.0.0.1
31 30 8:2 / /home/ann/scratch rw - xfs /dev/sdb1 rw
32 22 0:50 / /mnt/team\\040share rw - cifs //nas/team rw
33 22 0:51 / /mnt/remote rw - fuse.sshfs me@host:/data rw
34 22 0:52 / /mnt/usb rw - fuseblk /dev/sdc1 rw
35 22 0:53 / /mnt/c rw - 9p C:\\134 rw
36 22 0:54 / /mnt/auto rw - autofs systemd-1 rw
37 36 0:55 / /mnt/auto rw - nfs filer:/auto rw
`;

describe("a network share is told by the mount table", () => {
  it.each([
    ["/", undefined],
    ["/srv/project/.leaf", undefined],
    ["/home", "nfs4"],
    ["/home/ann/project/.leaf", "nfs4"],
    ["/homes/ann", undefined],
    ["/home/ann/scratch/project", undefined],
    ["/home/ann/scratches", "nfs4"],
    ["/mnt/team share/iqa/.leaf", "cifs"],
    ["/mnt/remote/x", "sshfs"],
    ["/mnt/usb/x", undefined],
    ["/mnt/c/Users", "9p"],
    ["/mnt/auto/x", "nfs"],
  ])("%s: %s", (target, share) => expect(shareIn(table, target)).toBe(share));

  it("and any text is a table", () => {
    fc.assert(fc.property(fc.string(), fc.string(), (text, target) => void shareIn(text, target)));
  });
});

it("a network share is told by what statfs says, whatever the sign of the number", () => {
  expect([0x6969, 0xff534d42, 0xff534d42 | 0, 0xfe534d42 | 0, 0x517b].map(shareOfType)).toEqual([
    "nfs",
    "cifs",
    "cifs",
    "smb2",
    "smb",
  ]);
  // ext4, xfs, btrfs, tmpfs, overlay
  expect([0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630].map(shareOfType)).toEqual(
    Array(5).fill(undefined),
  );
});

it("Windows' shares are told by their names", () => {
  for (const share of ["\\\\nas\\team\\iqa", "//nas/team", "\\\\?\\UNC\\nas\\team"])
    expect(isUnc(share)).toBe(true);
  for (const local of ["C:\\iqa", "\\\\?\\C:\\iqa", "\\\\.\\C:\\iqa", "/srv"])
    expect(isUnc(local)).toBe(false);
});

it("a local folder is on none, also one that does not exist yet", () => {
  expect(networkShare(`${tmpdir()}/none/.leaf`)).toBeUndefined();
});
