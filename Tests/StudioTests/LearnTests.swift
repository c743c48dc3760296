import Foundation
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Studio

@Suite("The guide in the studio") struct LearnTests {
  @Test("every chapter is a page, and whatever a page names is there")
  func whole() async throws {
    let learn = Learn()
    let chapters = learn.paths.filter { !$0.contains(".") }
    #expect(
      chapters.count == 11 && chapters.contains("/learn") && chapters.contains("/learn/climb"))
    let known = Set(learn.paths + Page().paths)
    let bench = try await Bench()
    try await Application(router: bench.server.router()).test(.router) { client in
      let front = try await client.executeRequest(uri: "/", method: .get, headers: [:], body: nil)
      let views = String(buffer: front.body).matches(of: /href="(#\/[a-z]+)" id="tab-/)
      #expect(views.count > 3)
      for path in chapters {
        let page = try await client.executeRequest(uri: path, method: .get, headers: [:], body: nil)
        #expect(page.status == .ok && page.headers[.contentType] == "text/html; charset=utf-8")
        let text = String(buffer: page.body)
        for match in text.matches(of: /(?:href|src)="(\/[^"#]*)"/) {
          #expect(known.contains(String(match.1)), "\(match.1) on \(path)")
        }
        #expect(text.matches(of: /<h1>/).count == 1 && !text.contains("style=\""))
        for view in views { #expect(text.contains("href=\"/\(view.1)\""), "\(view.1) on \(path)") }
        // Nothing of the Markdown is left over.
        let prose = text.replacing(/<(pre|code)[^>]*>[\s\S]*?<\/\1>/, with: "")
        for sign in ["](", "**", "## ", "| ---", "```"] {
          #expect(!prose.contains(sign), "\(sign) on \(path)")
        }
      }
    }
  }

  @Test("what the guide is written in becomes HTML, and nothing in it is taken for HTML")
  func markdown() {
    let markdown = GuideMarkdown { $0.hasPrefix("..") ? nil : "/x/\($0)" }
    let cases = [
      ("# A *b*\n\nc <d>\ne", "<h1>A <em>b</em></h1>\n<p>c &lt;d&gt;\ne</p>\n"),
      ("[a](b.md) and [c](../d.md)", "<p><a href=\"/x/b.md\">a</a> and c</p>\n"),
      (
        "![a \"b\"](c.svg)",
        "<figure><img src=\"/x/c.svg\" alt=\"a &quot;b&quot;\" loading=\"lazy\"></figure>\n"
      ),
      ("1. a\n2. **b**", "<ol><li>a</li><li><strong>b</strong></li></ol>\n"),
      (
        "| a | b |\n|---|---|\n| `c*d*` | e |",
        "<table><thead><tr><th scope=\"col\">a</th><th scope=\"col\">b</th></tr></thead>"
          + "<tbody><tr><td><code>c*d*</code></td><td>e</td></tr></tbody></table>\n"
      ),
      (
        "```sh\n./reverie \"a\" # b\n\n# c\n```",
        "<pre tabindex=\"0\"><code>./reverie &quot;a&quot; # b\n\n# c</code></pre>\n"
      ),
    ]
    for (text, html) in cases { #expect(markdown.html(text) == html) }
  }
}
