import Foundation
import Imaging
import Models
import Torch
import Weights

// What prompts want, as embeddings.

extension Perceptor {
  /// Templates of labels, as pixray has them.
  static let templates = [
    "itap of a {}.", "a bad photo of the {}.", "a origami {}.", "a photo of the large {}.",
    "a {} in a video game.", "art of the {}.", "a photo of the small {}.",
  ]

  /// The embeddings wanted by a prompt, `[M, E]`; nil where a file has none for this perceptor.
  /// - Parameters:
  ///   - cutouts: how a picture that is wanted is looked at, once.
  ///   - files: what the prompt names.
  ///   - size: of the picture that is painted.
  func embeddings(
    of target: Prompt.Target, cutouts: Cutouts, files: Attachments,
    size: (width: Int, height: Int), device: Device
  ) throws -> Tensor? {
    switch target {
    case .text(let text): return embedding(of: text)
    case .label(let text):
      let texts = Self.templates.map { $0.replacing("{}", with: text) }
      return concatenated(texts.map { embedding(of: $0).normalized() }, over: 0)
        .mean(over: [0], keepDims: true)
    case .noise(let seed):
      return RandomStream(seed: UInt64(seed), "noise prompt").normal([1, width]).to(device)
    case .embedding(let file): return try stored(files.url(file))?.to(device)
    case .image(let file):
      let url = try files.url(file)
      let key = "\(file.sha256) \(cutouts) \(size.width)x\(size.height)"
      return try remembered("image", key) {
        let picture = try Self.picture(url, size).to(device)
        return noGrad { clip.embed(cutouts(picture, iteration: -1)) }
      }.to(device)
    case .average(let targets):
      var means: [Tensor] = []
      for target in targets {
        // One view as the encoders were trained: the whole of a picture, not its cutouts.
        let found: Tensor?
        if case .image(let file) = target {
          found = try whole(files.url(file), device)
        } else {
          found = try embeddings(
            of: target, cutouts: cutouts, files: files, size: size, device: device)
        }
        guard let found else { return nil }
        means.append(found.mean(over: [0], keepDims: true).to(.float32))
      }
      return concatenated(means, over: 0).mean(over: [0], keepDims: true)
    }
  }

  /// A picture that is wanted, about as large as the one that is painted and of its own proportions
  /// (nerdyrodent's `resize_image`): `[1, 3, H, W]`.
  static func picture(_ url: URL, _ size: (width: Int, height: Int)) throws -> Tensor {
    let picture = try Picture.read(from: url.path)
    let area = min(size.width * size.height, picture.width * picture.height)
    let aspect = Double(picture.width) / Double(picture.height)
    return try picture.resized(
      width: max(1, Int((Double(area) * aspect).squareRoot().rounded())),
      height: max(1, Int((Double(area) / aspect).squareRoot().rounded()))
    ).tensor()
  }

  /// The embedding wanted by a prompt, pictures seen whole, `[1, E]`; nil where a file has none for this
  /// perceptor.
  func wholeEmbedding(
    of target: Prompt.Target, _ files: Attachments, _ device: Device
  ) throws -> Tensor? {
    if case .image(let file) = target { return try whole(files.url(file), device) }
    return try embeddings(
      of: target, cutouts: Cutouts(size: size, count: 1, seed: 0), files: files, size: (size, size),
      device: device
    )?.to(.float32).mean(over: [0], keepDims: true)
  }

  /// The embedding of a picture cut to a square, `[1, E]`.
  private func whole(_ url: URL, _ device: Device) throws -> Tensor {
    let picture = try Picture.read(from: url.path).filled(
      width: size, height: size, filter: .bicubic)
    return noGrad { clip.embed(picture.tensor().to(device)) }
  }

  /// Width of the embeddings.
  var width: Int { clip.config.embedDim }

  /// The embeddings that a file has for this perceptor, `[M, E]`: under its name, or the only ones that
  /// there are when their width fits.
  private func stored(_ url: URL) throws -> Tensor? {
    let found = try EmbeddingFile(contentsOf: url)
    guard let (rows, count) = found.rows(for: id, clip.config) else { return nil }
    return Tensor(rows, [count, width])
  }
}
