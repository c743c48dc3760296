import Foundation
import Imaging
import Painting

/// A folder of pictures that an evaluation painted, so that one that was broken off, or that another
/// judge is to look at, need not paint them again.
struct KeptPictures {
  private let folder: URL
  private static let secondsKeyword = "seconds"

  /// - Parameter folder: made if need be.
  init(folder: URL) throws {
    self.folder = folder
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  /// The picture of a request, kept under a name or painted.
  /// - Returns: the picture, and the seconds of one core that it took.
  func picture(
    _ request: Request, _ files: Attachments, as name: String, with engine: Engine
  ) async throws -> (picture: Picture, seconds: Double) {
    let path = folder.appending(path: name + ".png").path
    if let kept = try kept(request, at: path, engine) { return kept }
    var options = Engine.Options()
    options.files = files
    let began = Self.processorSeconds
    for try await event in engine.generate(request, options) {
      guard case .image(let output) = event else { continue }
      let seconds = Self.processorSeconds - began
      let note = PictureText(keyword: Self.secondsKeyword, text: "\(seconds)")
      let texts = try output.metadata.texts() + [note]
      try output.picture.write(to: path, as: .png(texts: texts), replacing: true)
      return (output.picture, seconds)
    }
    throw CancellationError()
  }

  /// What is kept, when it is of the same request, pack and number of threads.
  private func kept(
    _ request: Request, at path: String, _ engine: Engine
  ) throws -> (Picture, Double)? {
    // As JSON, where 3 and 3.0 are the same.
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    guard let metadata = try? Metadata(ofPictureAt: path),
      try encoder.encode(metadata.request)
        == encoder.encode(engine.resolver.resolve(request, device: engine.device)),
      metadata.pack.id == engine.pack.manifest.id,
      metadata.pack.version == engine.pack.manifest.version, metadata.threads == engine.threads
    else { return nil }
    let note = try PictureMetadata.read(from: path)
      .last { $0.keyword == Self.secondsKeyword }?.text
    return (try Picture.read(from: path), note.flatMap(Double.init) ?? 0)
  }

  /// Seconds that the cores have worked for this process.
  private static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
