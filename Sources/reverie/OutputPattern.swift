import ArgumentParser
import Foundation
import Imaging
import Painting

/// A pattern for names of pictures, `{date}/{seed}-{prompt}.jpg`: fields in braces, folders by slashes.
struct OutputPattern {
  /// As typed.
  let text: String
  private let parts: [Part]

  private enum Part {
    case text(String)
    case field(String, format: String?)
  }

  /// The fields that are no parameters of a request, and what stands for them.
  static let fields = [
    ("date", "the day, 20260901; other forms as in {date:%Y-%m-%d}"),
    ("time", "the time of day, 143052; other forms as in {time:%H.%M}"),
    ("prompt", "the prompt, a-red-fox"), ("size", "320x200"),
    ("init", "the name of the picture to begin from"),
    ("number", "the number of the prompt or picture in the list that is painted"),
  ]

  /// - Throws: `ValidationError` for a field that there is not, or a name that would leave the folder.
  init(_ text: String) throws {
    self.text = text
    var parts: [Part] = []
    var rest = text[...]
    while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
      parts.append(.text(String(rest[..<open])))
      let pieces = rest[rest.index(after: open)..<close].split(
        separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      parts.append(
        .field(
          try Self.known(String(pieces[0])), format: pieces.count > 1 ? String(pieces[1]) : nil))
      rest = rest[rest.index(after: close)...]
    }
    self.parts = parts + [.text(String(rest))]
    let literal = self.parts.map { if case .text(let text) = $0 { text } else { "x" } }.joined()
    let names = literal.split(separator: "/", omittingEmptySubsequences: false)
    guard names.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") && $0.utf8.count <= 200 }),
      !literal.unicodeScalars.contains(where: { $0.value < 32 })
    else {
      throw ValidationError(
        "--output-name must name a file in the folder of pictures, as {date}/{seed}-{prompt}, not "
          + "'\(text.prefix(60))'.")
    }
  }

  private static func known(_ name: String) throws -> String {
    let names = fields.map(\.0) + RequestArguments.flags + ["width", "height"]
    let flag = flagName(of: name).replacing("_", with: "-")
    if names.contains(flag) { return flag }
    throw ValidationError(
      "--output-name has no field {\(name.prefix(40))}"
        + (nearestName(to: flag, among: names).map { ". Did you mean {\($0)}?" }
          ?? ". It has \(fields.map { "{\($0.0)}" }.joined(separator: ", ")) and the parameters' names.")
    )
  }

  /// The ending that was asked for, if it is one of a file that can be written.
  var ending: String? {
    guard case .text(let last)? = parts.last else { return nil }
    let ending = URL(filePath: "x" + last).pathExtension.lowercased()
    let isKnown =
      (try? PictureFormat(extensionOf: "x." + ending)) != nil
      || VideoFormat(rawValue: ending) != nil
    return isKnown ? ending : nil
  }

  /// The path below the folder of pictures, without its ending.
  func path(_ request: Request, date: Date, number: Int) -> String {
    var path = parts.map { part in
      switch part {
      case .text(let text): text
      case .field(let name, let format):
        Self.plain(Self.value(name, format, request, date, number))
      }
    }.joined()
    if let ending, path.lowercased().hasSuffix("." + ending) { path.removeLast(ending.count + 1) }
    return path.split(separator: "/").map { name in
      var name = name
      while name.utf8.count > 200 { name.removeLast() }
      return String(name)
    }.joined(separator: "/")
  }

  private static func value(
    _ name: String, _ format: String?, _ request: Request, _ date: Date, _ number: Int
  ) -> String {
    switch name {
    case "date": return stamp(format ?? "%Y%m%d", date)
    case "time": return stamp(format ?? "%H%M%S", date)
    case "prompt": return OutputName.slug(request.title)
    case "size": return "\(request.width ?? 0)x\(request.height ?? 0)"
    case "number": return "\(number)"
    case "init":
      return request.initImage.map {
        URL(filePath: $0.name).deletingPathExtension().lastPathComponent
      }
        ?? "none"
    default:
      let parameter = Request.parameters.first { $0.flag == name }?.name
      let argument = RequestArguments.methodArguments.first { flagName(of: $0.name) == name }?.name
      return (parameter ?? argument).flatMap { request[$0]?.text } ?? "none"
    }
  }

  private static func stamp(_ format: String, _ date: Date) -> String {
    var (seconds, parts) = (time_t(date.timeIntervalSince1970), tm())
    localtime_r(&seconds, &parts)
    var bytes = [CChar](repeating: 0, count: 200)
    let count = strftime(&bytes, bytes.count, format, &parts)
    return String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// A value as a part of a file's name.
  private static func plain(_ value: String) -> String {
    let name = value.map { $0.isLetter || $0.isNumber || "-_.,+@=() ".contains($0) ? $0 : "-" }
    var text = String(name).trimmingCharacters(in: [".", " ", "-"])
    while text.utf8.count > 100 { text.removeLast() }
    return text.isEmpty ? "none" : text
  }
}
