import Models
import Tokenizers
import Torch

/// A critic: a CLIP, its vocabulary, and how much its opinion counts.
struct Perceptor {
  /// The name by which a request calls it.
  let id: String
  let clip: CLIP
  let tokenizer: CLIPTokenizer
  let weight: Double
  /// What tells the network, its type included, from others: embeddings are kept under it.
  let fingerprint: String
  /// Where embeddings are kept; nil for nowhere.
  let cache: EmbeddingCache?

  /// Height and width of the views it is shown.
  var size: Int { clip.config.vision.imageSize }

  /// Embedding of a text, `[1, E]`.
  func embedding(of text: String) -> Tensor {
    remembered("text", text) {
      let tokens = tokenizer([text], length: clip.config.text.contextLength)
      return noGrad { clip.encodeText(tokens.to(clip.logit_scale.device)) }
    }.to(clip.logit_scale.device)
  }

  /// What the cache has, or what `make` gives.
  func remembered(_ kind: String, _ content: String, _ make: () throws -> Tensor) rethrows
    -> Tensor
  {
    guard let cache else { return try make() }
    return try cache.embedding("\(fingerprint) \(kind) \(content)", make)
  }

  /// Cosine similarity of pictures `[B, 3, H, W]` in 0…1 to a text embedding: `[B]`.
  func similarity(_ pictures: Tensor, to text: Tensor) -> Tensor {
    cosines(embeddings(of: pictures), text)
  }

  /// Embeddings of whole pictures `[B, 3, H, W]` in 0…1, brought to the size that it sees: `[B, E]`.
  func embeddings(of pictures: Tensor) -> Tensor {
    noGrad {
      let fits = pictures.size(2) == size && pictures.size(3) == size
      let seen = fits ? pictures : pictures.resampled(size, size, .bilinear, antialias: true)
      return clip.embed(seen.clamped(0, 1))
    }
  }

  /// Cosines of embeddings `[B, E]` and one `[1, E]`: `[B]`.
  func cosines(_ embeddings: Tensor, _ text: Tensor) -> Tensor {
    (embeddings.normalized() * text.normalized()).sum(over: [-1])
  }
}
