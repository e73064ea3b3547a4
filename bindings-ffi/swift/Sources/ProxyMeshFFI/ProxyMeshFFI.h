// The functions that the native library has for Swift. They are in bindings-ffi/src/bridge/c.rs.

#pragma once

#include <stddef.h>
#include <stdint.h>

/// The bytes of an answer. They belong to the receiver, which passes them to `proxymesh_free` after it has read them.
typedef struct {
    const uint8_t *_Nonnull bytes;
    size_t length;
    size_t capacity;
} proxymesh_answer;

/// The version of the library.
const char *_Nonnull proxymesh_version(void);

/// Where the records of a call go. The library calls `release` once, after everything else.
typedef struct {
    void *_Nonnull context;
    /// Gets a record, which belongs to the receiver. It is called on any thread, also after the end of the call, and must return soon.
    void (*_Nonnull keep)(void *_Nonnull context, proxymesh_answer record);
    /// Writes what was kept. It is called now and then on the thread that makes a call with `proxymesh_invoke`.
    void (*_Nonnull write)(void *_Nonnull context);
    void (*_Nonnull release)(void *_Nonnull context);
} proxymesh_log;

/// Makes a call on this thread. The handle is that of a client, or 0 for a function that belongs to no client.
proxymesh_answer proxymesh_invoke(
    int64_t handle, int32_t number, const uint8_t *_Nullable arguments, size_t length, const proxymesh_log *_Nullable log);

/// A number for a call that will be started.
int64_t proxymesh_task(void);

/// Starts a call on the library's thread. The callback is called exactly once, on any thread, and maybe before this function
/// returns. It must return soon. If the call is cancelled, its answer is the error `Aborted`.
void proxymesh_start(
    int64_t task, int64_t handle, int32_t number, const uint8_t *_Nullable arguments, size_t length,
    const proxymesh_log *_Nullable log, void *_Nonnull context, void (*_Nonnull callback)(void *_Nonnull context, proxymesh_answer answer));

/// Ends a call that was started, and closes its connection. If the call has not started or has ended, this has no effect.
void proxymesh_cancel(int64_t task);

/// Forgets a client. Its calls in progress continue.
void proxymesh_release(int64_t handle);

/// Frees an answer.
void proxymesh_free(proxymesh_answer answer);
