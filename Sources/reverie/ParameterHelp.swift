import Foundation
import Painting

/// The part of the help that derives from declarations.
enum ParameterHelp {
  private static let width = 79

  /// Parameters by their groups.
  static var parameters: String {
    let hidden: Set = ["width", "height", "prompts"]
    return ParameterDeclaration.Group.allCases.map { group in
      var rows = Request.parameters.filter { $0.group == group && !hidden.contains($0.name) }
        .map { ("--\($0.flag)", $0.fullHelp()) }
      if group == .picture {
        rows.insert(sizeRow, at: 1)
      }
      if group == .prompts { rows = prompts + rows }
      return "\(group.rawValue.uppercased()):\n" + rows.map(row).joined(separator: "\n")
    }.joined(separator: "\n\n")
  }

  private static let prompts = [
    ("--prompt", "A text, as one that stands alone; also where it begins with a dash."),
    ("--image-prompt", "A picture's file that the result should be like, as FILE:WEIGHT:STOP."),
    ("--label", "A thing that it should show, by name: LABEL:WEIGHT."),
    ("--spot", "A text that its middle, or the mask's black, should fit: TEXT:WEIGHT."),
    ("--spot-off", "A text that all else should fit."),
    ("--noise-prompt", "A random wish, for variety: SEED:WEIGHT."),
    ("--embedding-prompt", "A file of embeddings, safetensors or JSON: FILE:WEIGHT."),
  ]

  private static let sizeRow = (
    "--size", "Size in pixels, 256 or 320x200 (16 to 4096; default 256)."
  )

  /// What is to be known about the size.
  static var size: String { row(sizeRow) }

  /// Arguments of a part.
  static func arguments(_ arguments: [PartArgument], flags: Bool) -> String {
    arguments.map { argument in
      var notes = [argument.kind.note()].compactMap(\.self)
      if let value = argument.default { notes.append("default \(value.text)") }
      let help =
        notes.isEmpty ? "\(argument.help)." : "\(argument.help) (\(notes.joined(separator: "; ")))."
      return row((flags ? "--\(flagName(of: argument.name))" : argument.name, help))
    }.joined(separator: "\n")
  }

  /// Name and help in two columns, at most 79 wide: where a line fills a terminal's 80 columns to the last, the
  /// help screen would break it once more.
  static func row(_ pair: (name: String, help: String)) -> String {
    let indent = 26
    let lines = lines(of: pair.help, width: Self.width - indent)
    let name = "  " + pair.name
    let space = String(repeating: " ", count: indent)
    let head =
      name.count < indent
      ? name + String(repeating: " ", count: indent - name.count) : name + "\n" + space
    return head + lines.joined(separator: "\n" + space)
  }

  /// A text in lines of at most 79 characters; what is in lines already stays.
  static func wrapped(_ text: String) -> String {
    text.contains("\n") || text.hasPrefix(" ")
      ? text : lines(of: text, width: width).joined(separator: "\n")
  }

  private static func lines(of text: String, width: Int) -> [String] {
    var lines = [""]
    for word in text.split(separator: " ") {
      let line = lines[lines.count - 1]
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(String(word))
      } else {
        lines[lines.count - 1] = line.isEmpty ? String(word) : line + " " + word
      }
    }
    return lines
  }
}
