import ProxyMeshFFI

/// A client of the library. The library forgets it when this object is deallocated.
package final class Native: Sendable {
    private let handle: Int64

    private init(_ handle: Int64) {
        self.handle = handle
    }

    deinit {
        proxymesh_release(handle)
    }

    /// Makes a call on this thread.
    package func invoke<Response>(_ call: Call<Response>) throws -> Response {
        // The client must not be released before the library has looked it up.
        let answer = withExtendedLifetime(self) {
            proxymesh_invoke(handle, call.number, call.arguments, call.arguments.count)
        }
        return try call.response(from: Answer(parts: answer))
    }

    /// Makes a call that creates a client.
    package func create(_ call: Call<Int64>) throws -> Native {
        Native(try invoke(call))
    }

    /// Makes a call without blocking a thread. If the task is cancelled, the call ends with `Failure.aborted`.
    package func invokeAsync<Response>(_ call: Call<Response>) async throws -> Response {
        if Task.isCancelled { throw Failure.aborted(text: "the call was cancelled") }
        let task = proxymesh_task()
        let answer = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let context = Unmanaged.passRetained(Waiting(continuation: continuation)).toOpaque()
                withExtendedLifetime(self) {
                    proxymesh_start(task, handle, call.number, call.arguments, call.arguments.count, context) { context, answer in
                        let waiting = Unmanaged<Waiting>.fromOpaque(context).takeRetainedValue()
                        waiting.continuation.resume(returning: Answer(parts: answer))
                    }
                }
                // A cancellation before the start has not found the call.
                if Task.isCancelled { proxymesh_cancel(task) }
            }
        } onCancel: {
            proxymesh_cancel(task)
        }
        return try call.response(from: answer)
    }
}

/// What waits for an answer. The library gives it back exactly once, together with the answer.
private final class Waiting: Sendable {
    let continuation: UnsafeContinuation<Answer, Never>

    init(continuation: UnsafeContinuation<Answer, Never>) {
        self.continuation = continuation
    }
}

extension Native {
    /// Runs the functions that belong to no client, such as those that create one.
    ///
    /// - Throws: `Failure.config` if the program is linked with a library of another version.
    package static var functions: Native {
        get throws {
            if let mismatch { throw mismatch }
            return library
        }
    }

    private static let library = Native(0)
    private static let mismatch = mismatch(of: String(cString: proxymesh_version()))

    /// Why a library of this version cannot be used, if it cannot.
    static func mismatch(of libraryVersion: String) -> Failure? {
        if libraryVersion == version { return nil }
        let text = "the native library has the version \(libraryVersion), not \(version): link the one of the same version"
        return .config(text: text, reason: text)
    }
}
