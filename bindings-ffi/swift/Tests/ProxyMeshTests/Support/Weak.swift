/// What may be gone.
struct Weak<Object: AnyObject & Sendable>: Sendable {
    private(set) weak var object: Object?
}
