import ProxyMeshFFI

/// A client of the library. The library forgets it when this object is deallocated.
package final class Native: Sendable {
    private let handle: Int64
    private let sink: LogSink?
    /// Whether its calls can write a warning to the log, as those of a pool, a lease and a follower can.
    private let canWarn: Bool

    private init(_ handle: Int64, _ sink: LogSink? = nil, canWarn: Bool = false) {
        self.handle = handle
        self.sink = sink
        self.canWarn = canWarn
    }

    deinit {
        proxymesh_release(handle)
    }

    /// Makes a call that does not wait for the network.
    package func invoke<Response>(_ call: Call<Response>) throws -> Response {
        try invoke(call, nil)
    }

    /// Makes a call on this thread.
    package func invokeBlocking<Response>(_ call: Call<Response>) throws -> Response {
        let log = sinkInUse.map { Log($0) {} }
        defer { log?.end() }
        return try invoke(call, log)
    }

    private func invoke<Response>(_ call: Call<Response>, _ log: Log?) throws -> Response {
        // The client must not be released before the library has looked it up.
        let answer = withExtendedLifetime(self) {
            Log.giving(log) { proxymesh_invoke(handle, call.number, call.arguments, call.arguments.count, $0) }
        }
        return try call.response(from: Answer(parts: answer))
    }

    /// Makes a call that creates a client.
    package func create(_ call: Call<Int64>, sink: LogSink?) throws -> Native {
        Native(try invoke(call), sink)
    }

    /// Makes a call that creates a client with other options.
    package func createClient(_ call: Call<Int64>) throws -> Native {
        Native(try invoke(call), sink)
    }

    /// Makes a call that creates a pool, a lease or a follower.
    package func createObject(_ call: Call<Int64>) throws -> Native {
        Native(try invoke(call), sink, canWarn: true)
    }

    /// Makes a call without blocking a thread. If the task is cancelled, the call ends with `Failure.aborted`.
    package func invokeAsync<Response>(_ call: Call<Response>) async throws -> Response {
        if Task.isCancelled { throw Failure.aborted(text: "the call was cancelled") }
        guard let sink = sinkInUse else { return try call.response(from: await answer(call, nil)) }
        let (told, tell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let log = Log(sink) { tell.yield() }
        // A child task writes the log, so that it has the task-local values of the caller.
        async let writing: Void = { for await _ in told { log.write() } }()
        let answer = await answer(call, log)
        tell.finish()
        await writing
        log.end()
        return try call.response(from: answer)
    }

    /// The logger, if it has anything to log: the attempts, or only warnings if the call can have any.
    private var sinkInUse: LogSink? {
        guard let sink else { return nil }
        return sink.isDebugEnabled() || canWarn && sink.isWarningEnabled() ? sink : nil
    }

    private func answer<Response>(_ call: Call<Response>, _ log: Log?) async -> Answer {
        let task = proxymesh_task()
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let context = Unmanaged.passRetained(Waiting(continuation: continuation)).toOpaque()
                withExtendedLifetime(self) {
                    Log.giving(log) { log in
                        proxymesh_start(
                            task, handle, call.number, call.arguments, call.arguments.count, log, context
                        ) { context, answer in
                            let waiting = Unmanaged<Waiting>.fromOpaque(context).takeRetainedValue()
                            waiting.continuation.resume(returning: Answer(parts: answer))
                        }
                    }
                }
                // A cancellation before the start has not found the call.
                if Task.isCancelled { proxymesh_cancel(task) }
            }
        } onCancel: {
            proxymesh_cancel(task)
        }
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
