import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { remoteStudent } from "../../../../src/engine/student/remote/address.ts";
import { manifestText, parseManifest } from "../../../../src/engine/student/remote/manifest.ts";
import { s3Address, signed } from "../../../../src/engine/student/remote/s3.ts";

const digest = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 64, maxLength: 64 });
const manifest = fc.record({ "student.json": digest, "student.onnx": digest });

describe("a student's checksums", () => {
  it("are read as they are written, beside other files and with the line ends of Windows", () => {
    fc.assert(
      fc.property(manifest, digest, fc.boolean(), (sums, other, windows) => {
        const text = `${other}  MODEL_CARD.md\n${manifestText(sums)}`;
        expect(parseManifest(windows ? text.replaceAll("\n", "\r\n") : text, "x")).toEqual(sums);
      }),
    );
  });

  it("are both there, once", () => {
    fc.assert(
      fc.property(manifest, (sums) => {
        const text = manifestText(sums);
        expect(() => parseManifest(text.split("\n")[0]!, "x")).toThrow(/does not hold the checksums/);
        expect(() => parseManifest(text + text, "x")).toThrow(/twice/);
      }),
    );
  });

  it("are read from anything without another error", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => parseManifest(text, "x")).toThrow(/does not hold the checksums/);
      }),
    );
  });
});

describe("the URL of a student", () => {
  const pin = "0123456789abcdef".repeat(4);

  it("is https, s3, or http of this machine", () => {
    for (const url of ["https://a.example/s", "s3://bucket/s", "http://127.0.0.1:9/s", "http://localhost/s/"])
      expect(remoteStudent(`${url}#sha256=${pin}`)).toEqual({ base: url.replace(/\/$/, ""), pin });
    expect(remoteStudent("https://a.example/s")).toEqual({ base: "https://a.example/s" });
    expect(() => remoteStudent("http://a.example/s")).toThrow(/plain HTTP/);
  });

  it("holds neither a password nor half a checksum", () => {
    expect(() => remoteStudent("https://me:secret@a.example/s")).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("secret") }),
    );
    expect(() => remoteStudent(`https://a.example/s#sha256=${pin.slice(1)}`)).toThrow(/no checksum/);
    expect(() => remoteStudent("https://a.example/s?a=1")).toThrow(/no query/);
  });

  it("of a bucket is Amazon's, or of the server that the environment names", () => {
    expect(s3Address("s3://b-1/x/y", { AWS_REGION: "eu-west-1" })).toBe(
      "https://b-1.s3.eu-west-1.amazonaws.com/x/y",
    );
    expect(s3Address("s3://b.c/x", {})).toBe("https://s3.us-east-1.amazonaws.com/b.c/x");
    expect(s3Address("s3://b-1/x", { AWS_ENDPOINT_URL: "http://127.0.0.1:9000/" })).toBe(
      "http://127.0.0.1:9000/b-1/x",
    );
    expect(() => s3Address("s3://bucket", {})).toThrow(/does not name a folder/);
  });

  it("is signed where the environment has credentials, and never holds them", async () => {
    const env = { AWS_ACCESS_KEY_ID: "AKID", AWS_SECRET_ACCESS_KEY: "the-secret-of-this-test" };
    const { url, headers } = await signed("PUT", "s3://b-1/x", Buffer.from("y"), env);
    expect(url).toBe("https://b-1.s3.us-east-1.amazonaws.com/x");
    expect(headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/us-east-1\/s3\/aws4_request/,
    );
    expect(JSON.stringify([url, headers])).not.toContain("secret-of");
    expect(await signed("GET", "s3://b-1/x", undefined, {})).toEqual({ url, headers: {} });
  });
});
