import Commands
import Foundation
import Painting

/// A request in a file: Reverie's own as JSON, or the settings of Disco Diffusion.
struct RequestFile {
  /// What is asked for.
  let request: Request
  /// Parameters of a film, where the file has any.
  let film: [String: JSONValue]
  /// What the file says that is not taken over.
  let leftOut: [Remark]
  /// The files that it names.
  let files: Attachments

  /// Reads a file.
  /// - Parameter folder: where files lie that it names, if not beside it.
  /// - Throws: `FileError`, or `RequestError` where it holds no request.
  init(_ path: String, folder: String? = nil) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw FileError(path: path)
    }
    if let settings = ForeignSettings(disco: String(decoding: data, as: UTF8.self)) {
      (request, film, leftOut) = (try settings.request(), settings.film, settings.leftOut)
    } else {
      (request, film, leftOut) = (try Request(json: data), [:], [])
    }
    let beside = URL(filePath: path).deletingLastPathComponent().path
    files = try FilePlaces([folder, beside, "."]).attachments(request.references)
  }

  /// Says what is not taken over.
  func note(_ output: OutputOptions) {
    guard !output.quiet else { return }
    for remark in leftOut { Console.say("Note: \(remark).") }
  }
}
