import Foundation
import Imaging
import Painting

// What a worker makes that is no picture of a request.

extension WorkerSession {
  /// Paints the frames that are missing, then makes the film and the picture that stands for it.
  func shoot(_ film: Film, _ order: JobAssignment, on run: RunFolder) async throws -> JobOutcome {
    let generation = engine.generate(
      order.request,
      .init(files: run.files, run: run, checkpointEvery: checkpointEvery, film: film))
    begin(generation)
    var steps = Pace(perSecond: 8)
    var previews = Pace(perSecond: 3)
    for try await event in generation {
      switch event {
      case .started(let started):
        tell(.started(width: started.paintedWidth, height: started.paintedHeight))
      case .preparing(let step):
        if steps.allows() { tell(.preparing(.init(step, picture: 1))) }
      case .step(let step) where film.kind != .morph:
        guard steps.allows() || step.step == step.total else { continue }
        tell(.step(.init(step, picture: 1)))
      case .frame(let frame):
        if film.kind == .morph, let total = frame.total, steps.allows() {
          tell(.step(.init(.init(step: frame.number, total: total, unit: "frame"), picture: 1)))
        }
        guard stopRequest == nil, previews.allows() else { continue }
        let picture = try Picture.read(from: run.frame(frame.number).path)
        let jpeg = try picture.fitted(in: 512).encoded(as: .jpeg(quality: 80))
        tell(.preview(step: frame.number, jpeg: jpeg))
      case .step, .preview, .image, .candidates, .finished: break
      }
    }
    if stopRequest == .leave { return .left }
    guard stopRequest != .discard, run.frameCount > 1 else { return .stopped }
    try await deliver(film, order, run)
    return stopRequest == nil ? .finished : .stopped
  }

  private func deliver(_ film: Film, _ order: JobAssignment, _ run: RunFolder) async throws {
    var metadata = try engine.metadata(of: film, order.request)
    metadata.processors = order.processors
    let video = run.folder.appending(path: "film.mp4")
    if !FileManager.default.fileExists(atPath: video.path) {
      try await FilmEncoder(run: run, film: film).encode(
        to: video,
        texts: [
          PictureText(keyword: "comment", text: order.request.title),
          PictureText(keyword: Metadata.keyword, text: try metadata.json()),
        ])
    }
    let still = run.folder.appending(path: "still.png")
    try Picture.read(from: run.frame(run.frameCount).path)
      .write(to: still.path, as: .png(texts: metadata.texts()), replacing: true)
    tell(
      .picture(
        .init(
          place: 1, path: still.path, film: video.path, metadata: try metadata.json(), score: nil,
          stopped: stopRequest != nil)))
  }

  /// Makes a picture larger; there is nothing to go on from, it begins anew.
  func enlarge(_ enlargement: JobSpec.Enlargement, _ order: JobAssignment) async throws
    -> JobOutcome
  {
    guard let file = order.files.first(where: { $0.reference == enlargement.picture }) else {
      throw PaintingError.missingFile(name: enlargement.picture.name)
    }
    let picture = try Picture.read(from: file.path)
    var metadata = try Metadata(ofPictureAt: file.path)
    metadata.enlarged = (metadata.enlarged ?? 1) * enlargement.scale
    tell(
      .started(
        width: picture.width * enlargement.scale, height: picture.height * enlargement.scale))
    let large = try await engine.enlarge(picture, by: enlargement.scale) { done, pieces in
      self.tell(.step(.init(.init(step: done, total: pieces, unit: "piece"), picture: 1)))
    }
    switch stopRequest {
    case .leave: return .left
    case .discard: return .stopped
    case nil, .keep: break
    }
    let folder = URL(filePath: order.run, directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let result = folder.appending(path: "large.png")
    try large.write(to: result.path, as: .png(texts: metadata.texts()), replacing: true)
    tell(
      .picture(
        .init(
          place: 1, path: result.path, metadata: try metadata.json(), score: nil, stopped: false)))
    return .finished
  }
}
