import Foundation
import Imaging
import Painting

/// Some of the pictures on the way of what is being painted, evenly over its steps, so that it can be seen
/// again how it came about.
struct Replay: Sendable {
  /// Most that are kept.
  static let most = 24
  /// The longer side of those that are kept.
  static let side = 256

  private(set) var frames: [Data] = []
  /// Of how many pictures one is kept.
  private var stride = 1
  private var seen = 0
  /// Whether a picture has come of them: the next one on the way begins anew.
  var isSpent = false

  /// Notes a picture on the way, a JPEG.
  mutating func add(_ jpeg: Data) {
    if isSpent { self = Replay() }
    if seen.isMultiple(of: stride) { frames.append(jpeg) }
    seen += 1
    guard frames.count >= 2 * Self.most else { return }
    frames = frames.enumerated().compactMap { $0.offset.isMultiple(of: 2) ? $0.element : nil }
    stride *= 2
  }

  /// Keeps them in a file: `{"frames": ["data:image/jpeg;base64,…"]}`.
  /// - Returns: false where there is too little to be seen.
  func write(to file: URL) async -> Bool {
    let frames = frames
    return await Task.detached {
      let step = max(1, (frames.count + Self.most - 1) / Self.most)
      let small = frames.enumerated().compactMap { index, jpeg -> JSONValue? in
        guard index.isMultiple(of: step),
          let picture = try? Picture(decoding: jpeg, name: "a picture on the way"),
          let data = try? picture.fitted(in: Self.side).encoded(as: .jpeg(quality: 70))
        else { return nil }
        return .string("data:image/jpeg;base64," + data.base64EncodedString())
      }
      guard small.count > 1 else { return false }
      try? FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      let text = JSONValue.object(["frames": .array(small)]).json
      return (try? Data(text.utf8).write(to: file, options: .atomic)) != nil
    }.value
  }
}
