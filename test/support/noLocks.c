// A file system that refuses every lock, as some network shares do: for LD_PRELOAD.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

static int refusing(const char *name, int fd, int command, void *argument) {
  if (command == F_SETLK || command == F_SETLKW) {
    errno = ENOLCK;
    return -1;
  }
  int (*real)(int, int, ...) = dlsym(RTLD_NEXT, name);
  return real(fd, command, argument);
}

#define REFUSING(name)                                  \
  int name(int fd, int command, ...) {                  \
    va_list arguments;                                  \
    va_start(arguments, command);                       \
    void *argument = va_arg(arguments, void *);         \
    va_end(arguments);                                  \
    return refusing(#name, fd, command, argument);      \
  }

REFUSING(fcntl)
REFUSING(fcntl64)
