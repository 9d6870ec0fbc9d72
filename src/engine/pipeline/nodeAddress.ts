import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { say } from "../../words/text.ts";
import { LeafError, messageOf } from "../base/errors.ts";

/** This machine's address towards the others, and the network device that has it. */
export interface NodeAddress {
  address: string;
  device?: string;
}

/**
 * By the way to where the nodes meet; nothing is sent. torchrun would take the host's own name, which others often cannot resolve, or find to
 * be themselves. Throws LeafError `environment` where there is no way.
 */
export async function nodeAddress(rendezvous: string): Promise<NodeAddress> {
  const at = rendezvous.lastIndexOf(":");
  const [host, port] = [rendezvous.slice(0, at).replace(/^\[|\]$/g, ""), Number(rendezvous.slice(at + 1))];
  try {
    const found = await lookup(host);
    const address = await sourceTo(found.address, port);
    const device = Object.entries(networkInterfaces()).find(([, all]) =>
      all?.some((one) => one.address === address),
    )?.[0];
    return { address, ...(device && { device }) };
  } catch (error) {
    throw new LeafError("environment", say`${rendezvous} cannot be reached (${messageOf(error)}).`, {
      cause: error,
      remedy: say`Name the main node as this machine knows it.`,
    });
  }
}

function sourceTo(address: string, port: number): Promise<string> {
  const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  return new Promise<string>((resolve, reject) => {
    socket.once("error", reject);
    socket.connect(port, address, () => resolve(socket.address().address));
  }).finally(() => socket.close());
}
