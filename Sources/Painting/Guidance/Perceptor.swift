import Models
import Tokenizers
import Torch

/// A CLIP that looks at pictures, its vocabulary, and how much its opinion counts.
public struct Perceptor {
  /// The name by which a request calls it.
  public let id: String
  /// The network.
  public let clip: CLIP
  /// Its vocabulary.
  public let tokenizer: CLIPTokenizer
  /// How much its opinion counts beside the others'.
  public let weight: Double
  /// How it reads texts that are longer than its text tower.
  var longTexts = Request.LongTexts.average
  /// What tells the network, its type included, from others: embeddings are kept under it.
  let fingerprint: String
  /// Where embeddings are kept; nil for nowhere.
  let cache: EmbeddingCache?

  /// Height and width of the views it is shown.
  public var size: Int { clip.config.vision.imageSize }

  /// Embedding of a text, `[1, E]`; of a long one the mean of its parts'.
  public func embedding(of text: String) -> Tensor {
    let read = TowerText(text, tokenizer, length: clip.config.text.contextLength)
    guard longTexts == .average, read.parts.count > 1 else { return embedding(ofWhole: read.text) }
    return concatenated(read.parts.map { embedding(ofWhole: $0) }, over: 0)
      .mean(over: [0], keepDims: true)
  }

  private func embedding(ofWhole text: String) -> Tensor {
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
  public func similarity(_ pictures: Tensor, to text: Tensor) -> Tensor {
    cosines(embeddings(of: pictures), text)
  }

  /// Embeddings of whole pictures `[B, 3, H, W]` in 0…1, brought to the size that it sees: `[B, E]`.
  public func embeddings(of pictures: Tensor) -> Tensor {
    noGrad {
      let fits = pictures.size(2) == size && pictures.size(3) == size
      let seen = fits ? pictures : pictures.resampled(size, size, .bilinear, antialias: true)
      return clip.embed(seen.clamped(0, 1))
    }
  }

  /// Cosines of embeddings `[B, E]` and one `[1, E]`: `[B]`.
  public func cosines(_ embeddings: Tensor, _ text: Tensor) -> Tensor {
    (embeddings.normalized() * text.normalized()).sum(over: [-1])
  }
}

/// A perceptor with the views that it is shown.
struct PerceptorViews {
  let perceptor: Perceptor
  let cutouts: Cutouts
  /// `[1, 1, H, W]`, 1 inside the spot; nil when no prompt asks for a region.
  let spot: Tensor?
  /// Regions that some prompt asks for.
  let regions: Set<Prompt.Region>
  /// The cutouts' power and share of whole pictures over the steps; nil for what they have.
  var power: Schedule?
  var whole: Schedule?

  /// What it sees of a picture `[1, 3, H, W]`. Regions are seen in the same views, the rest of the
  /// picture blacked out.
  /// - Parameters:
  ///   - chance: the number that chance derives from.
  ///   - step: of the painting.
  ///   - progress: the share of all steps that is done.
  ///   - way: the share of the way from noise to picture that is done; nil where that is `progress`.
  func views(
    of picture: Tensor, _ chance: Int, step: Int = 0, progress: Double, way: Double? = nil
  ) -> Observation.Views {
    var cutouts = cutouts
    if let power { cutouts.power = power.value(at: step) }
    if let whole { cutouts.wholeShare = whole.value(at: step) }
    let set = cutouts.views(iteration: chance, progress: progress, way: way)
    let seen = set(picture)
    var views = Observation.Views(cutouts: seen, embeddings: perceptor.clip.embed(seen))
    let clip = perceptor.clip
    views.viewsOfOther = { set.read($0) }
    views.embeddingsOfOther = { clip.embed(set.read($0)) }
    guard let spot else { return views }
    // A filter may have changed the picture's size.
    let inside = spot.resampled(as: picture)
    func embeddings(_ mask: Tensor) -> Tensor { clip.embed(set.read(picture * mask)) }
    if regions.contains(.inside) { views.inside = embeddings(inside) }
    if regions.contains(.outside) { views.outside = embeddings(1 - inside) }
    return views
  }
}

extension Perceptor {
  /// A perceptor by name, as `--clip` gives them: `vit-b32,rn50:0.5`, `pack` being the pack's own.
  struct Choice: Hashable {
    let id: String
    let weight: Double

    /// The pack's own perceptor alone.
    static let `default` = [Choice(id: "pack", weight: 1)]

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
