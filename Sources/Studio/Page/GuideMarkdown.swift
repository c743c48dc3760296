import Foundation

/// HTML of the Markdown that the guide is written in: headings, paragraphs, pictures, links, lists, tables and
/// blocks of commands.
struct GuideMarkdown {
  /// Where a link leads in the studio; nil for what is not there, of which the text remains.
  let address: (String) -> String?

  /// The blocks of a page as HTML.
  func html(_ text: String) -> String {
    var html = ""
    for (index, part) in text.components(separatedBy: "```").enumerated() {
      guard index % 2 == 1 else {
        html += part.components(separatedBy: "\n\n").map(block).joined()
        continue
      }
      // What may have to be scrolled must be reached by the keyboard.
      let lines = part.drop { $0 != "\n" }.trimmingCharacters(in: .newlines)
      html += "<pre tabindex=\"0\"><code>\(Self.escaped(lines))</code></pre>\n"
    }
    return html
  }

  // MARK: Blocks

  private func block(_ text: String) -> String {
    let lines = text.split(separator: "\n").map(String.init)
    guard let first = lines.first else { return "" }
    if let heading = first.firstMatch(of: /^(#{1,3}) (.+)$/) {
      let level = heading.1.count
      let rest = lines.dropFirst().joined(separator: "\n")
      return "<h\(level)>\(inline(String(heading.2)))</h\(level)>\n" + block(rest)
    }
    if first.hasPrefix("| ") { return table(lines) }
    if first.firstMatch(of: #/^(\d+\.|-) /#) != nil { return list(lines) }
    if lines.count == 1, let picture = first.wholeMatch(of: /!\[(.+)\]\(([^)]+)\)/) {
      return "<figure>\(image(picture.1, picture.2))</figure>\n"
    }
    return "<p>\(inline(lines.joined(separator: "\n")))</p>\n"
  }

  private func table(_ lines: [String]) -> String {
    func cells(_ line: String, _ open: String, _ close: String) -> String {
      let cells = line.trimmingCharacters(in: ["|", " "]).components(separatedBy: " | ")
      return "<tr>" + cells.map { open + inline($0) + close }.joined() + "</tr>"
    }
    let head = cells(lines[0], "<th scope=\"col\">", "</th>")
    let rows = lines.dropFirst(2).map { cells($0, "<td>", "</td>") }.joined()
    return "<table><thead>\(head)</thead><tbody>\(rows)</tbody></table>\n"
  }

  private func list(_ lines: [String]) -> String {
    let kind = lines[0].hasPrefix("-") ? "ul" : "ol"
    let items = lines.map { "<li>\(inline(String($0.trimmingPrefix(#/(\d+\.|-) /#))))</li>" }
    return "<\(kind)>\(items.joined())</\(kind)>\n"
  }

  // MARK: Within a line

  private func inline(_ text: String) -> String {
    // Between backticks nothing else means anything.
    text.components(separatedBy: "`").enumerated().map { index, part in
      index % 2 == 1 ? "<code>\(Self.escaped(part))</code>" : marked(Self.escaped(part))
    }.joined()
  }

  private func marked(_ text: String) -> String {
    text.replacing(/\[([^\]]+)\]\(([^)]+)\)/) { link in
      address(String(link.2)).map { "<a href=\"\($0)\">\(link.1)</a>" } ?? String(link.1)
    }
    .replacing(/\*\*([^*]+)\*\*/) { "<strong>\($0.1)</strong>" }
    .replacing(/\*([^*]+)\*/) { "<em>\($0.1)</em>" }
  }

  private func image(_ alt: Substring, _ file: Substring) -> String {
    let source = address(String(file)) ?? String(file)
    return "<img src=\"\(source)\" alt=\"\(Self.escaped(String(alt)))\" loading=\"lazy\">"
  }

  static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&quot;")
  }
}
