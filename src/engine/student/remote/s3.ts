import { AwsV4Signer } from "aws4fetch";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { knowSecrets } from "../../base/redact.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What is asked for an s3 URL, signed by the credentials of the environment, under the names that all AWS tools read; without any it is
 * asked as anybody. Other URLs stay as they are.
 */
export async function signed(
  method: string,
  url: string,
  body?: Buffer,
  env: Environment = process.env,
): Promise<{ url: string; headers: Record<string, string> }> {
  if (!/^s3:/i.test(url)) return { url, headers: {} };
  const address = s3Address(url, env);
  const accessKeyId = env.AWS_ACCESS_KEY_ID?.trim();
  const secretAccessKey = env.AWS_SECRET_ACCESS_KEY?.trim();
  if (!accessKeyId || !secretAccessKey) return { url: address, headers: {} };
  const sessionToken = env.AWS_SESSION_TOKEN?.trim() || undefined;
  knowSecrets([secretAccessKey, sessionToken]);
  const signer = new AwsV4Signer({
    method,
    url: address,
    body: body && new Uint8Array(body),
    accessKeyId,
    secretAccessKey,
    sessionToken,
    service: "s3",
    region: regionOf(env),
  });
  const result = await signer.sign();
  const headers = Object.fromEntries(result.headers);
  return { url: result.url.href, headers };
}

/** Of Amazon's own servers, or of those that AWS_ENDPOINT_URL_S3 names (MinIO, R2, Google's S3 interface). */
export function s3Address(url: string, env: Environment): string {
  const [, bucket, key] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.+)$/i.exec(url) ?? [];
  if (!bucket || !key)
    throw new LeafError("usage", say`${url} does not name a folder of a bucket.`, {
      remedy: say`Write s3://bucket/folder.`,
    });
  const own = (env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL)?.trim().replace(/\/+$/, "");
  if (own) {
    if (!URL.canParse(own)) throw new LeafError("environment", say`AWS_ENDPOINT_URL_S3 is no URL.`);
    return `${own}/${bucket}/${key}`;
  }
  const host = `s3.${regionOf(env)}.amazonaws.com`;
  // A certificate for *.s3… does not fit a name with further dots.
  return bucket.includes(".") ? `https://${host}/${bucket}/${key}` : `https://${bucket}.${host}/${key}`;
}

function regionOf(env: Environment): string {
  const region = env.AWS_REGION?.trim() || env.AWS_DEFAULT_REGION?.trim() || "us-east-1";
  if (/^[a-z0-9-]{1,40}$/.test(region)) return region;
  throw new LeafError("environment", say`AWS_REGION does not name a region.`);
}
