import Diffusion
import EmbeddedPack
import Foundation
import Imaging
import Models
import Painting
import Tokenizers
import Torch
import Training
import Weights

/// What the figures are made with: an engine that paints, and the pack's networks one by one.
///
/// One thread and float32, so that a figure comes out alike however many processors there are.
final class Workshop {
  let engine: Engine
  let tokenizer: CLIPTokenizer
  let clip: CLIP
  let vqgan: VQGAN
  /// A CLIP that guides nothing.
  let judge: CLIPJudge
  private let pack: Pack
  private let isSmall: Bool
  private var painted: [String: Picture] = [:]

  init(isSmall: Bool) throws {
    self.isSmall = isSmall
    Libtorch.threads = 1
    pack = try Pack(folder: Pack.embedded)
    engine = Engine(pack: pack, threads: 1)
    tokenizer = try CLIPTokenizer(contentsOf: pack.folder.appending(path: Pack.tokenizerFile))
    clip = try Self.network(of: pack)
    vqgan = try Self.network(of: pack)
    judge = try CLIPJudge(folder: EmbeddedPack.judges)
  }

  /// A network of the pack, by its type.
  func network<N: Network>(_ type: N.Type = N.self) throws -> N { try Self.network(of: pack) }

  private static func network<N: Network>(of pack: Pack) throws -> N {
    guard let config = pack.config(of: N.self), let file = pack.file(of: N.self) else {
      throw PaintingError.notInPack(pack: pack.manifest.id, what: N.architecture.id)
    }
    return try Checkpoint(contentsOf: file)
      .build(leftovers: N.architecture.leftovers(config)) { N($0, config) }
  }

  /// So many steps, or a few where little is to be done.
  func steps(_ count: Int) -> Int { isSmall ? max(2, count / 40) : count }

  // MARK: Painting

  /// A request that leaves nothing to chance or to the machine.
  func request(
    _ prompt: String, _ method: Method.ID, seed: Int = 1,
    _ change: (inout Request) throws -> Void = { _ in }
  ) rethrows -> Request {
    var request = Request(prompt)
    (request.method, request.seed, request.precision) = (method, seed, .float32)
    try change(&request)
    return request
  }

  /// A painting of so many steps that CLIP leads alone, as the originals' were; most of the pack's drawers are also
  /// pulled to what its diffusion model would paint.
  func climb(_ prompt: String, _ method: Method.ID, seed: Int = 1, iterations: Int) -> Request {
    request(prompt, method, seed: seed) {
      ($0.width, $0.height, $0.iterations) = (128, 128, steps(iterations))
      $0.cutouts = 16
      $0.distillation = 0
    }
  }

  /// The picture of a text, for figures that need one to look at.
  func picture(of prompt: String, seed: Int = 1) async throws -> Picture {
    if let found = painted["\(prompt) \(seed)"] { return found }
    let request = request(prompt, "dalle", seed: seed) {
      ($0.width, $0.height) = (128, 128)
      if isSmall { $0.candidates = 1 }
    }
    let picture = try await engine.picture(of: request)
    painted["\(prompt) \(seed)"] = picture
    return picture
  }

  // MARK: Looking

  /// The embedding of a text, of length one, `[1, E]`.
  func embedding(of text: String) -> Tensor {
    let tokens = tokenizer([text], length: clip.config.text.contextLength)
    return noGrad { clip.encodeText(tokens).normalized() }
  }

  /// The embeddings of pictures `[B, 3, H, W]` in 0…1, of length one, `[B, E]`.
  func embeddings(of pictures: Tensor) -> Tensor {
    let side = clip.config.vision.imageSize
    return noGrad {
      clip.embed(pictures.resampled(side, side, .bilinear, antialias: true).clamped(0, 1))
        .normalized()
    }
  }

  /// The embedding of a picture.
  func embedding(of picture: Picture) -> Tensor { embeddings(of: picture.tensor()) }
}

/// The cosine of the angle between two embeddings of length one.
func cosine(_ a: Tensor, _ b: Tensor) -> Double { (a * b).sum().item() }
