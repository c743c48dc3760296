// A differentiable rasteriser of polylines. How much of a pixel is covered is a smooth step of its centre's
// distance from the edge; strokes are laid over one another in order.
//
// The picture is cut into tiles. A tile looks only at the strokes, and of these only at the lines, that
// reach into it; all that it finds, gradients too, it keeps to itself, and the tiles' sums are added up in
// their order. So the result does not depend on the number of threads.
#include <ATen/Dispatch.h>
#include <torch/csrc/autograd/custom_function.h>

#include "guard.h"
#include "parts.h"

namespace {

constexpr int side = 16;
constexpr int area = side * side;
// Half the width of the step. 1.3 pixels come closest to what a square pixel sees of a straight edge, over
// all slants: within 0.01 in the mean.
constexpr double soft = 0.65;

// How much of a pixel is covered whose centre lies `depth` within the edge, and the derivative.
template <typename T>
T step(T depth) {
  T u = std::min(std::max(T(0.5) + depth * T(0.5 / soft), T(0)), T(1));
  return u * u * (3 - 2 * u);
}
template <typename T>
T step_slope(T depth) {
  T u = std::min(std::max(T(0.5) + depth * T(0.5 / soft), T(0)), T(1));
  return 6 * u * (1 - u) * T(0.5 / soft);
}

template <typename T>
struct Scene {
  const T *vertices;
  const T *radii;
  const T *colors;
  const T *paper;
  int64_t strokes, lines, points;
  int64_t height, width;
  bool filled;

  int64_t columns() const { return (width + side - 1) / side; }
  int64_t tiles() const { return columns() * ((height + side - 1) / side); }
  const T *start(int64_t stroke, int64_t line) const { return vertices + 2 * (stroke * points + line); }
  // Filled outlines come back to their first vertex.
  const T *end(int64_t stroke, int64_t line) const { return start(stroke, (line + 1) % points); }
  T radius(int64_t stroke) const { return filled ? T(0) : radii[stroke]; }
};

// A box around vertices.
template <typename T>
struct Box {
  T left, top, right, bottom;

  static Box around(const T *a, const T *b) {
    return {std::min(a[0], b[0]), std::min(a[1], b[1]), std::max(a[0], b[0]), std::max(a[1], b[1])};
  }
  void join(const Box &o) {
    left = std::min(left, o.left), top = std::min(top, o.top);
    right = std::max(right, o.right), bottom = std::max(bottom, o.bottom);
  }
  Box widened(T by) const { return {left - by, top - by, right + by, bottom + by}; }
  bool meets(const Box &o) const {
    return left <= o.right && o.left <= right && top <= o.bottom && o.top <= bottom;
  }
};

// What one stroke covers of a tile.
template <typename T>
struct Cover {
  T coverage[area];
  // Squared distance to the nearest line, and which line that is.
  T square[area];
  int32_t nearest[area];
  bool inside[area];
};

template <typename T>
struct Tile {
  // A stroke that reaches into the tile, and its lines that are near enough to matter.
  struct Entry {
    int64_t stroke;
    size_t first, count;
    // Its lines that rays from the tile to the right may cross.
    size_t crossing, crossings;
  };

  int64_t x, y;
  std::vector<Entry> entries;
  std::vector<int32_t> near;
  std::vector<int32_t> crossing;

  Tile(const Scene<T> &scene, const std::vector<Box<T>> &boxes, int64_t index)
      : x(index % scene.columns() * side), y(index / scene.columns() * side) {
    // Of the pixels' centres.
    Box<T> here{T(x + 0.5), T(y + 0.5), T(x + side - 0.5), T(y + side - 0.5)};
    for (int64_t s = 0; s < scene.strokes; s++) {
      T reach = scene.radius(s) + T(soft);
      if (!boxes[static_cast<size_t>(s)].widened(reach).meets(here)) continue;
      Entry entry{s, near.size(), 0, crossing.size(), 0};
      for (int64_t l = 0; l < scene.lines; l++) {
        auto box = Box<T>::around(scene.start(s, l), scene.end(s, l));
        if (box.widened(reach).meets(here)) near.push_back(static_cast<int32_t>(l));
        if (scene.filled && box.top <= here.bottom && box.bottom >= here.top && box.right >= here.left)
          crossing.push_back(static_cast<int32_t>(l));
      }
      entry.count = near.size() - entry.first;
      entry.crossings = crossing.size() - entry.crossing;
      if (entry.count + entry.crossings > 0) entries.push_back(entry);
    }
  }

  void cover(const Scene<T> &scene, const Entry &entry, Cover<T> &out) const {
    std::fill_n(out.square, area, std::numeric_limits<T>::max());
    std::fill_n(out.nearest, area, 0);
    for (size_t i = 0; i < entry.count; i++) {
      auto line = near[entry.first + i];
      const T *a = scene.start(entry.stroke, line), *b = scene.end(entry.stroke, line);
      T ax = a[0], ay = a[1], ex = b[0] - ax, ey = b[1] - ay;
      T length = ex * ex + ey * ey, inverse = length > 0 ? 1 / length : 0;
      T reach = scene.radius(entry.stroke) + T(soft);
      for (int row = 0; row < side; row++) {
        T py = T(y + row) + T(0.5);
        if (py < std::min(a[1], b[1]) - reach || py > std::max(a[1], b[1]) + reach) continue;
        T wy = py - ay, left = T(x) + T(0.5) - ax;
        for (int column = 0; column < side; column++) {
          int p = row * side + column;
          T wx = left + T(column);
          T t = std::min(std::max((wx * ex + wy * ey) * inverse, T(0)), T(1));
          T qx = wx - t * ex, qy = wy - t * ey, square = qx * qx + qy * qy;
          bool nearer = square < out.square[p];
          out.square[p] = nearer ? square : out.square[p];
          out.nearest[p] = nearer ? static_cast<int32_t>(i) : out.nearest[p];
        }
      }
    }
    if (scene.filled) {
      fill(scene, entry, out);
      for (int p = 0; p < area; p++) {
        T distance = std::sqrt(out.square[p]);
        out.coverage[p] = step(out.inside[p] ? distance : -distance);
      }
    } else {
      T r = scene.radii[entry.stroke];
      for (int p = 0; p < area; p++) {
        // What lies within r on both sides; a line thinner than a pixel covers less than all of it.
        T distance = std::sqrt(out.square[p]);
        out.coverage[p] = std::max(step(r - distance) + step(r + distance) - 1, T(0));
      }
    }
  }

  // Pixels from which a ray to the right crosses an odd number of lines are inside.
  void fill(const Scene<T> &scene, const Entry &entry, Cover<T> &out) const {
    std::fill_n(out.inside, area, false);
    for (size_t i = 0; i < entry.crossings; i++) {
      auto line = crossing[entry.crossing + i];
      const T *a = scene.start(entry.stroke, line), *b = scene.end(entry.stroke, line);
      for (int row = 0; row < side; row++) {
        T py = T(y + row) + T(0.5);
        if ((a[1] <= py) == (b[1] <= py)) continue;
        T at = a[0] + (py - a[1]) / (b[1] - a[1]) * (b[0] - a[0]) - T(x) - T(0.5);
        for (int column = 0; column < side; column++) out.inside[row * side + column] ^= T(column) < at;
      }
    }
  }
};

template <typename T>
std::vector<Box<T>> boxes(const Scene<T> &scene) {
  std::vector<Box<T>> boxes;
  for (int64_t s = 0; s < scene.strokes; s++) {
    auto box = Box<T>::around(scene.start(s, 0), scene.start(s, 0));
    for (int64_t p = 1; p < scene.points; p++) box.join(Box<T>::around(scene.start(s, p), scene.start(s, p)));
    boxes.push_back(box);
  }
  return boxes;
}

template <typename T>
void paint(const Scene<T> &scene, T *picture) {
  auto around = boxes(scene);
  ct::in_parts(scene.tiles(), at::get_num_threads(), [&](int64_t index) {
    Tile<T> tile(scene, around, index);
    T values[3][area];
    for (int c = 0; c < 3; c++) std::fill_n(values[c], area, scene.paper[c]);
    Cover<T> cover;
    for (const auto &entry : tile.entries) {
      tile.cover(scene, entry, cover);
      const T *color = scene.colors + 4 * entry.stroke;
      for (int c = 0; c < 3; c++)
        for (int p = 0; p < area; p++) values[c][p] += color[3] * cover.coverage[p] * (color[c] - values[c][p]);
    }
    for (int c = 0; c < 3; c++)
      for (int64_t y = tile.y; y < std::min(tile.y + side, scene.height); y++)
        for (int64_t x = tile.x; x < std::min(tile.x + side, scene.width); x++)
          picture[(c * scene.height + y) * scene.width + x] = values[c][(y - tile.y) * side + x - tile.x];
  });
}

// A tile's share of the gradients.
template <typename T>
struct Slopes {
  struct Line {
    int64_t stroke, line;
    T start[2], end[2];
  };
  struct Stroke {
    int64_t stroke;
    T radius, color[4];
  };
  std::vector<Line> lines;
  std::vector<Stroke> strokes;
  T paper[3];
};

// With T the light that what lies above lets through, B the colour beneath, a = alpha * coverage:
// the picture's derivative by a is T (colour - B), by the colour T a, by the paper T of all strokes.
template <typename T>
Slopes<T> slopes_of(const Scene<T> &scene, const Tile<T> &tile, const T *wanted) {
  struct Layer {
    Cover<T> cover;
    T beneath[3][area];
  };
  Slopes<T> slopes{};
  T up[3][area] = {}, through[area], values[3][area];
  for (int c = 0; c < 3; c++) {
    std::fill_n(values[c], area, scene.paper[c]);
    for (int64_t y = tile.y; y < std::min(tile.y + side, scene.height); y++)
      for (int64_t x = tile.x; x < std::min(tile.x + side, scene.width); x++)
        up[c][(y - tile.y) * side + x - tile.x] = wanted[(c * scene.height + y) * scene.width + x];
  }
  std::fill_n(through, area, T(1));

  std::vector<Layer> layers(tile.entries.size());
  for (size_t e = 0; e < layers.size(); e++) {
    auto &layer = layers[e];
    tile.cover(scene, tile.entries[e], layer.cover);
    const T *color = scene.colors + 4 * tile.entries[e].stroke;
    for (int c = 0; c < 3; c++) {
      std::copy_n(values[c], area, layer.beneath[c]);
      for (int p = 0; p < area; p++)
        values[c][p] += color[3] * layer.cover.coverage[p] * (color[c] - values[c][p]);
    }
  }

  for (size_t e = layers.size(); e-- > 0;) {
    const auto &entry = tile.entries[e];
    const auto &layer = layers[e];
    const T *color = scene.colors + 4 * entry.stroke;
    T r = scene.radius(entry.stroke);
    typename Slopes<T>::Stroke stroke{entry.stroke, 0, {}};
    size_t first = slopes.lines.size();
    for (size_t i = 0; i < entry.count; i++)
      slopes.lines.push_back({entry.stroke, tile.near[entry.first + i], {}, {}});
    for (int p = 0; p < area; p++) {
      T coverage = layer.cover.coverage[p];
      T distance = std::sqrt(layer.cover.square[p]);
      if (coverage == 0) continue;
      T a = color[3] * coverage, by_a = 0;
      for (int c = 0; c < 3; c++) {
        by_a += up[c][p] * (color[c] - layer.beneath[c][p]);
        stroke.color[c] += through[p] * a * up[c][p];
      }
      by_a *= through[p];
      through[p] *= 1 - a;
      stroke.color[3] += by_a * coverage;

      T by_coverage = by_a * color[3], by_distance;
      if (scene.filled) {
        T edge = by_coverage * step_slope(distance);
        by_distance = layer.cover.inside[p] ? edge : -edge;
      } else {
        T near = by_coverage * step_slope(r - distance), far = by_coverage * step_slope(r + distance);
        stroke.radius += near + far;
        by_distance = far - near;
      }
      if (by_distance == 0 || distance <= 0) continue;

      auto &line = slopes.lines[first + static_cast<size_t>(layer.cover.nearest[p])];
      const T *start = scene.start(line.stroke, line.line), *end = scene.end(line.stroke, line.line);
      T ex = end[0] - start[0], ey = end[1] - start[1], length = ex * ex + ey * ey;
      T wx = T(tile.x + p % side) + T(0.5) - start[0], wy = T(tile.y + p / side) + T(0.5) - start[1];
      T t = length > 0 ? std::min(std::max((wx * ex + wy * ey) / length, T(0)), T(1)) : T(0);
      // The foot of the perpendicular is nearest, so that its own motion along the line does not count.
      T nx = (wx - t * ex) / distance * by_distance, ny = (wy - t * ey) / distance * by_distance;
      line.start[0] -= nx * (1 - t), line.start[1] -= ny * (1 - t);
      line.end[0] -= nx * t, line.end[1] -= ny * t;
    }
    slopes.strokes.push_back(stroke);
  }
  for (int c = 0; c < 3; c++)
    for (int p = 0; p < area; p++) slopes.paper[c] += through[p] * up[c][p];
  return slopes;
}

template <typename T>
void pull_back(const Scene<T> &scene, const T *wanted, T *vertices, T *radii, T *colors, T *paper) {
  auto around = boxes(scene);
  std::vector<Slopes<T>> all(static_cast<size_t>(scene.tiles()));
  ct::in_parts(scene.tiles(), at::get_num_threads(), [&](int64_t index) {
    all[static_cast<size_t>(index)] = slopes_of(scene, Tile<T>(scene, around, index), wanted);
  });
  for (const auto &slopes : all) {
    for (const auto &line : slopes.lines) {
      T *stroke = vertices + 2 * line.stroke * scene.points;
      T *start = stroke + 2 * line.line, *end = stroke + 2 * ((line.line + 1) % scene.points);
      start[0] += line.start[0], start[1] += line.start[1];
      end[0] += line.end[0], end[1] += line.end[1];
    }
    for (const auto &stroke : slopes.strokes) {
      radii[stroke.stroke] += stroke.radius;
      for (int c = 0; c < 4; c++) colors[4 * stroke.stroke + c] += stroke.color[c];
    }
    for (int c = 0; c < 3; c++) paper[c] += slopes.paper[c];
  }
}

template <typename T>
Scene<T> scene(const at::Tensor &vertices, const at::Tensor &radii, const at::Tensor &colors,
               const at::Tensor &paper, int64_t height, int64_t width, bool filled) {
  int64_t points = vertices.size(1);
  return {static_cast<const T *>(vertices.const_data_ptr()), static_cast<const T *>(radii.const_data_ptr()), static_cast<const T *>(colors.const_data_ptr()),
          static_cast<const T *>(paper.const_data_ptr()), vertices.size(0), filled ? points : points - 1, points,
          height, width, filled};
}

struct PaintStrokes : torch::autograd::Function<PaintStrokes> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &vertices,
                            const at::Tensor &radii, const at::Tensor &colors, const at::Tensor &paper,
                            int64_t height, int64_t width, bool filled) {
    auto v = vertices.contiguous(), r = radii.contiguous(), c = colors.contiguous(), p = paper.contiguous();
    auto picture = at::empty({1, 3, height, width}, v.options());
    AT_DISPATCH_FLOATING_TYPES(v.scalar_type(), "paint_strokes", [&] {
      paint(scene<scalar_t>(v, r, c, p, height, width, filled), static_cast<scalar_t *>(picture.mutable_data_ptr()));
    });
    context->save_for_backward({v, r, c, p});
    context->saved_data["filled"] = filled;
    return picture;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list slopes) {
    auto saved = context->get_saved_variables();
    auto wanted = slopes[0].contiguous();
    auto v = at::zeros_like(saved[0]), r = at::zeros_like(saved[1]), c = at::zeros_like(saved[2]),
         p = at::zeros_like(saved[3]);
    AT_DISPATCH_FLOATING_TYPES(v.scalar_type(), "paint_strokes backward", [&] {
      auto s = scene<scalar_t>(saved[0], saved[1], saved[2], saved[3], wanted.size(2), wanted.size(3),
                               context->saved_data["filled"].toBool());
      pull_back(s, static_cast<const scalar_t *>(wanted.const_data_ptr()), static_cast<scalar_t *>(v.mutable_data_ptr()),
                static_cast<scalar_t *>(r.mutable_data_ptr()), static_cast<scalar_t *>(c.mutable_data_ptr()), static_cast<scalar_t *>(p.mutable_data_ptr()));
    });
    return {v, r, c, p, {}, {}, {}};
  }
};

}  // namespace

using namespace ct;

int ct_paint_strokes(ct_tensor vertices, ct_tensor radii, ct_tensor colors, ct_tensor paper, int64_t height,
                     int64_t width, bool filled, ct_tensor *out) {
  return give(out, [&] {
    const auto &v = of(vertices), &r = of(radii), &c = of(colors), &p = of(paper);
    for (const auto *x : {&v, &r, &c, &p})
      TORCH_CHECK(x->is_cpu() && x->scalar_type() == v.scalar_type(), "all on the CPU and of one type");
    TORCH_CHECK(v.dim() == 3 && v.size(1) >= 2 && v.size(2) == 2, "vertices must be [S, M, 2]");
    TORCH_CHECK(r.sizes() == at::IntArrayRef({v.size(0)}), "radii must be [S]");
    TORCH_CHECK(c.sizes() == at::IntArrayRef({v.size(0), 4}), "colors must be [S, 4]");
    TORCH_CHECK(p.sizes() == at::IntArrayRef({3}), "paper must be [3]");
    return PaintStrokes::apply(v, r, c, p, height, width, filled);
  });
}
