import Foundation
import HTTPTypes

/// The parts of a multipart/form-data body (RFC 7578).
struct Multipart {
  /// One field.
  struct Part {
    let name: String
    let fileName: String?
    let data: Data
  }

  let parts: [Part]

  /// - Parameter type: the request's content type, with the boundary.
  /// - Throws: `Problem` when it is not that.
  init(_ data: Data, type: String) throws {
    guard type.lowercased().hasPrefix("multipart/form-data"),
      let boundary = Self.parameter("boundary", of: type), (1...70).contains(boundary.utf8.count)
    else {
      throw Problem(.unsupportedMediaType, "The body must be multipart/form-data.")
    }
    let mark = Data("--\(boundary)".utf8)
    let broken = Problem(.badRequest, "The body is no whole multipart/form-data.")
    var found: [Part] = []
    guard var here = data.range(of: mark)?.upperBound else { throw broken }
    while true {
      if data[here...].starts(with: Data("--".utf8)) { break }
      guard data[here...].starts(with: Data("\r\n".utf8)),
        let head = data.range(of: Data("\r\n\r\n".utf8), in: here..<data.endIndex),
        let end = data.range(
          of: Data("\r\n".utf8) + mark, in: head.upperBound..<data.endIndex), found.count < 64
      else { throw broken }
      let lines = String(decoding: data[here..<head.lowerBound], as: UTF8.self)
        .components(separatedBy: "\r\n")
      guard
        let line = lines.first(where: { $0.lowercased().hasPrefix("content-disposition:") }),
        let name = Self.parameter("name", of: line)
      else { throw broken }
      found.append(
        Part(
          name: name, fileName: Self.parameter("filename", of: line),
          data: Data(data[head.upperBound..<end.lowerBound])))
      here = end.upperBound
    }
    parts = found
  }

  /// A value in a header such as `form-data; name="image"`.
  private static func parameter(_ name: String, of header: String) -> String? {
    for piece in header.split(separator: ";").dropFirst() {
      let pair = piece.split(separator: "=", maxSplits: 1)
      guard pair.count == 2,
        pair[0].trimmingCharacters(in: .whitespaces).lowercased() == name
      else { continue }
      return pair[1].trimmingCharacters(in: CharacterSet(charactersIn: "\" \t"))
    }
    return nil
  }
}
