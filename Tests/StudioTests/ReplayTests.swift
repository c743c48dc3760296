import Foundation
import Imaging
import TestSupport
import Testing

@testable import Painting
@testable import Studio

/// Pictures on the way that are kept, to be seen again.
@Suite struct ReplayTests {
  private func jpeg(_ shade: Int) throws -> Data {
    try Picture(
      width: 300, height: 200, color: Color(red: UInt8(shade % 256), green: 20, blue: 30)
    ).encoded(as: .jpeg(quality: 80))
  }

  @Test("of many only some are kept, evenly, small, and a new picture begins anew")
  func evenly() async throws {
    var replay = Replay()
    for step in 0..<1_000 { replay.add(try jpeg(step)) }
    #expect(replay.frames.count < 2 * Replay.most)
    let file = try ScratchFolder.make("replay").appending(path: "a.json")
    #expect(await replay.write(to: file))
    let kept = try #require(JSONValue(text: String(contentsOf: file, encoding: .utf8))?["frames"])
    guard case .array(let frames) = kept else { return }
    #expect((2...Replay.most).contains(frames.count))
    let data = try #require(Data(base64Encoded: String(frames[0].text.dropFirst(23))))
    let picture = try Picture(decoding: data, name: "a frame")
    #expect((picture.width, picture.height) == (256, 170))
    replay.isSpent = true
    replay.add(try jpeg(1))
    #expect(replay.frames.count == 1)
    #expect(await !replay.write(to: file))
  }
}
