import Models
import Torch

/// A critic: a CLIP, its vocabulary, and how much its opinion counts.
struct Perceptor {
  let clip: CLIP
  let tokenizer: BPETokenizer
  let weight: Double

  /// Height and width of the views it is shown.
  var size: Int { clip.config.vision.imageSize }

  /// Embedding of a text, `[1, E]`.
  func embedding(of text: String) -> Tensor {
    let tokens = tokenizer([text], length: clip.config.text.contextLength)
    return noGrad { clip.encodeText(tokens.to(clip.logit_scale.device)) }
  }

  /// Objectives for the prompts.
  func objectives(_ prompts: [Prompt]) -> [any Objective] {
    prompts.filter { $0.weight != 0 }.map {
      PromptObjective(embedding(of: $0.text), weight: $0.weight * weight, stop: $0.stop)
    }
  }

  /// Cosine similarity of pictures `[B, 3, H, W]` in 0…1 to a text embedding: `[B]`.
  func similarity(_ pictures: Tensor, to text: Tensor) -> Tensor {
    noGrad {
      let fits = pictures.size(2) == size && pictures.size(3) == size
      let seen = fits ? pictures : pictures.resampled(size, size, .bilinear, antialias: true)
      return (clip.embed(seen.clamped(0, 1)).normalized() * text.normalized()).sum(over: [-1])
    }
  }

  /// A critic by name, as `--clip` gives them: `vit-b32,rn50:0.5`, `pack` being the pack's own.
  struct Choice: Hashable {
    let id: String
    let weight: Double

    /// The pack's own critic alone.
    static let standard = [Choice(id: "pack", weight: 1)]

    /// Reads a list.
    /// - Throws: `RequestError`.
    static func parse(_ text: String) throws(RequestError) -> [Choice] {
      var choices: [Choice] = []
      for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        let pieces = part.split(separator: ":", omittingEmptySubsequences: false)
        let id = pieces[0].trimmingPrefix { $0 == " " }
        guard pieces.count <= 2, !id.isEmpty else {
          throw .badValue(field: "clip", reason: "must be names of models, as in vit-b32,rn50:0.5")
        }
        guard let weight = pieces.count == 2 ? Double(pieces[1]) : 1, weight.isFinite, weight > 0
        else {
          throw .badValue(
            field: "clip", reason: "has the weight '\(pieces[1])'; it must be above zero")
        }
        guard !choices.contains(where: { $0.id == id }) else {
          throw .badValue(field: "clip", reason: "names '\(id)' twice")
        }
        choices.append(Choice(id: String(id), weight: weight))
      }
      return choices
    }
  }
}
