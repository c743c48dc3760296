import Models
import Torch

/// A perceptor with the views that it is shown.
struct Critic {
  let perceptor: Perceptor
  let cutouts: Cutouts
  /// `[1, 1, H, W]`, 1 inside the spot; nil when no prompt asks for a region.
  let spot: Tensor?
  /// Regions that some prompt asks for.
  let regions: Set<Prompt.Region>

  /// What it sees of a picture `[1, 3, H, W]`. Regions are seen in the same views, the rest of the
  /// picture blacked out.
  /// - Parameter progress: the share of all iterations that is done.
  func views(of picture: Tensor, _ moment: Int, progress: Double) -> Sight.Views {
    let set = cutouts.views(iteration: moment, progress: progress)
    let seen = set(picture)
    var views = Sight.Views(cutouts: seen, embeddings: perceptor.clip.embed(seen))
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
