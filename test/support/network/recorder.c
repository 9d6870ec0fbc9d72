// Preloaded into a process and all that it starts: writes down whom they ask for, and lets nothing leave this machine.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void record(const char *call, const char *what, int port) {
  const char *file = getenv("LEAF_NETWORK_LOG");
  char line[512];
  int log = file ? open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
  if (log < 0) return;
  int length = snprintf(line, sizeof line, "%s %s %s %d\n", program_invocation_short_name, call, what, port);
  if (length >= (int)sizeof line) length = sizeof line - 1;
  if (write(log, line, length) < 0) perror("recorder");
  close(log);
}

static int is_here(const char *name) {
  struct in_addr four;
  struct in6_addr six;
  if (!name || !*name || !strcasecmp(name, "localhost")) return 1;
  if (inet_pton(AF_INET, name, &four)) return four.s_addr == 0 || (ntohl(four.s_addr) >> 24) == 127;
  if (inet_pton(AF_INET6, name, &six)) {
    if (IN6_IS_ADDR_V4MAPPED(&six)) return six.s6_addr[12] == 127;
    return IN6_IS_ADDR_LOOPBACK(&six) || IN6_IS_ADDR_UNSPECIFIED(&six);
  }
  return 0;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  if (is_here(name)) return REAL(getaddrinfo)(name, service, hints, found);
  record("getaddrinfo", name, service ? atoi(service) : 0);
  return EAI_NONAME;
}

struct hostent *gethostbyname(const char *name) {
  if (is_here(name)) return REAL(gethostbyname)(name);
  record("gethostbyname", name, 0);
  h_errno = HOST_NOT_FOUND;
  return NULL;
}

/* Also a question to a name server on this machine: c-ares and musl ask without getaddrinfo. */
static int refused(const char *call, const struct sockaddr *to) {
  char text[INET6_ADDRSTRLEN] = "";
  int port = 0;
  if (!to) return 0;
  if (to->sa_family == AF_INET) {
    const struct sockaddr_in *four = (const void *)to;
    inet_ntop(AF_INET, &four->sin_addr, text, sizeof text);
    port = ntohs(four->sin_port);
  } else if (to->sa_family == AF_INET6) {
    const struct sockaddr_in6 *six = (const void *)to;
    inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text);
    port = ntohs(six->sin6_port);
  } else {
    return 0;
  }
  if (is_here(text) && port != 53) return 0;
  record(call, text, port);
  errno = ENETUNREACH;
  return 1;
}

int connect(int socket, const struct sockaddr *to, socklen_t size) {
  return refused("connect", to) ? -1 : REAL(connect)(socket, to, size);
}

ssize_t sendto(int socket, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t length) {
  return refused("sendto", to) ? -1 : REAL(sendto)(socket, data, size, flags, to, length);
}

ssize_t sendmsg(int socket, const struct msghdr *message, int flags) {
  return refused("sendmsg", message->msg_name) ? -1 : REAL(sendmsg)(socket, message, flags);
}

int sendmmsg(int socket, struct mmsghdr *messages, unsigned int count, int flags) {
  for (unsigned int i = 0; i < count; i++)
    if (refused("sendmmsg", messages[i].msg_hdr.msg_name)) return -1;
  return REAL(sendmmsg)(socket, messages, count, flags);
}
