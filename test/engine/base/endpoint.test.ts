import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideEndpoint } from "../../../src/engine/base/endpoint.ts";

const no = { allowLinkLocal: false };
const yes = { allowLinkLocal: true };

describe("decideEndpoint", () => {
  it("refuses link-local and metadata addresses in every spelling", () => {
    for (const host of [
      "169.254.169.254",
      "169.254.169.254.",
      "2852039166",
      "0xa9fea9fe",
      "0251.0376.0251.0376",
      "0xa9.254.0xa9fe",
      "169.254.1",
      "[fe80::1]",
      "[febf::1]",
      "[fd00:ec2::254]",
      "[::ffff:169.254.169.254]",
      "[::ffff:a9fe:a9fe]",
      "[::169.254.169.254]",
      "[64:ff9b::169.254.169.254]",
      "[2002:a9fe:a9fe::1]",
      "metadata.google.internal",
      "METADATA.google.internal.",
      "metadata",
      "100.100.100.200",
      "168.63.129.16",
    ]) {
      expect(decideEndpoint(`http://${host}/v1`, [], no), host).toMatchObject({ allowed: false });
      expect(decideEndpoint(`https://${host}:8443/v1`, [], no), host).toMatchObject({ allowed: false });
      expect(decideEndpoint(`http://${host}/v1`, [], yes), host).toMatchObject({
        allowed: true,
        local: false,
      });
    }
  });

  it("goes by what a name resolves to, all of it", () => {
    const url = "https://teacher.example/v1";
    expect(decideEndpoint(url, ["93.184.216.34"], no)).toEqual({
      allowed: true,
      local: false,
      encrypted: true,
    });
    for (const bad of ["169.254.169.254", "fe80::1%eth0", "::ffff:169.254.0.1", "fd00:ec2::254"])
      expect(decideEndpoint(url, ["93.184.216.34", bad], no)).toMatchObject({ allowed: false });
    expect(decideEndpoint("http://localhost:1/v1", ["127.0.0.1", "::1"], no)).toMatchObject({ local: true });
    expect(decideEndpoint("http://localhost:1/v1", ["10.0.0.1"], no)).toMatchObject({ allowed: false });
  });

  it("knows this machine and no other as local", () => {
    for (const host of [
      "127.0.0.1",
      "127.9.9.9",
      "localhost",
      "[::1]",
      "2130706433",
      "0x7f000001",
      "[::ffff:127.0.0.1]",
    ])
      expect(decideEndpoint(`http://${host}/v1`, [], no), host).toEqual({
        allowed: true,
        local: true,
        encrypted: false,
      });
    for (const host of [
      "10.0.0.1",
      "192.168.1.1",
      "127.0.0.1.example",
      "localhost.example",
      "[2001:db8::1]",
      "xlocalhost",
    ])
      expect(decideEndpoint(`http://${host}/v1`, [], no), host).toMatchObject({
        allowed: true,
        local: false,
      });
  });

  it("refuses every address of the ranges, in any notation", () => {
    const linkLocal = fc.tuple(fc.nat(255), fc.nat(255)).map(([a, b]) => [169, 254, a, b] as const);
    const numberOf = (part: readonly number[]) => part.reduce((sum, one) => sum * 256 + one, 0);
    const spelling = fc.constantFrom(
      (part: readonly number[]) => part.join("."),
      (part: readonly number[]) => String(numberOf(part)),
      (part: readonly number[]) => `0x${numberOf(part).toString(16)}`,
      (part: readonly number[]) => part.map((one) => `0${one.toString(8)}`).join("."),
      (part: readonly number[]) => `[::ffff:${part.join(".")}]`,
      (part: readonly number[]) => `[64:ff9b::${part.join(".")}]`,
    );
    fc.assert(
      fc.property(linkLocal, spelling, fc.boolean(), (address, spell, asResolved) => {
        const url = asResolved ? "http://teacher.example/v1" : `http://${spell(address)}/v1`;
        const decided = decideEndpoint(url, asResolved ? [address.join(".")] : [], no);
        expect(decided).toMatchObject({ allowed: false });
      }),
    );
  });

  it("never throws, whatever stands there", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((host) => `http://${host}`),
          fc.ipV6().map((ip) => `http://[${ip}]/`),
        ),
        fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string())),
        (url, addresses) => {
          expect(typeof decideEndpoint(url, addresses, no).allowed).toBe("boolean");
        },
      ),
    );
  });
});
