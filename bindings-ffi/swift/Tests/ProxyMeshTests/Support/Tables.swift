import Foundation
import TestSupport
import Testing

/// The root of the repository.
let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../../..").standardizedFileURL

/// The rows of a table in `tests/tables`; see `tests/README.md`.
func rows(_ table: String) throws -> [JSON] {
    let file = repository.appendingPathComponent("tests/tables/\(table).json")
    return try #require(try JSON.read(Data(contentsOf: file)).list)
}

extension JSON {
    /// A row as it may stand in a message: not 100,000 characters of it.
    var short: Comment { Comment(rawValue: String(written.prefix(300))) }
}
