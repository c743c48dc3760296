import Foundation
import Imaging
import Models
import Tokenizers
import Torch
import Weights

/// A CLIP that guides nothing, so that it may say how well guided pictures fit their texts.
///
/// The CLIP that a picture was optimised for always likes it; one of other weights, of another shape
/// and from other chance likes it only for what it shows.
public final class CLIPJudge {
  private let model: CLIP
  private let tokenizer: CLIPTokenizer

  /// Reads a judge.
  /// - Parameter folder: holds `clip.safetensors`, its sizes in `clip.json`, and `tokenizer.json`.
  public init(folder: URL) throws {
    let sizes = folder.appending(path: "clip.json")
    guard FileManager.default.fileExists(atPath: sizes.path) else {
      throw TrainingError.missing(
        "\(sizes.path) is missing. Train a judge with: reverie train judge-clip, or leave --judge out."
      )
    }
    let config = try JSONDecoder().decode(CLIP.Config.self, from: RegularFile.data(at: sizes))
    model = try Checkpoint(contentsOf: folder.appending(path: "clip.safetensors"))
      .build { CLIP($0, config) }
    tokenizer = try CLIPTokenizer(contentsOf: folder.appending(path: "tokenizer.json"))
  }

  /// Cosines of pictures and texts: a row for each picture, a column for each text.
  public func cosines(_ pictures: [Picture], _ texts: [String]) -> [[Double]] {
    guard !pictures.isEmpty, !texts.isEmpty else { return pictures.map { _ in [] } }
    return noGrad {
      // One by one: pictures may be of different sizes.
      let seen = concatenated(pictures.map { embed($0.tensor()) }, over: 0)  // [P, E]
      let all = seen.matmul(embed(texts).transposed()).floats().map(Double.init)
      return stride(from: 0, to: all.count, by: texts.count).map {
        Array(all[$0..<($0 + texts.count)])
      }
    }
  }

  /// Pictures `[B, 3, H, W]` in 0…1 to embeddings of length one, `[B, E]`.
  func embed(_ pictures: Tensor) -> Tensor {
    let size = model.config.vision.imageSize
    let fits = pictures.size(2) == size && pictures.size(3) == size
    let seen = fits ? pictures : pictures.resampled(size, size, .bilinear, antialias: true)
    return model.embed(seen).normalized()
  }

  /// Texts to embeddings of length one, `[B, E]`.
  func embed(_ texts: [String]) -> Tensor {
    model.encodeText(tokenizer(texts, length: model.config.text.contextLength)).normalized()
  }
}
