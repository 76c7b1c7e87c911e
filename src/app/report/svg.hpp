// A drawing as SVG elements: places in pixels, looks by CSS class, a title where the reader may point.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace everlearn {

/// Text that means nothing to a browser.
std::string escaped(std::string_view text);

class Svg {
 public:
  enum class Anchor { Start, Middle, End };
  struct Point {
    double x = 0, y = 0;
  };

  /// `label`: what a screen reader says.
  Svg(double width, double height, std::string_view label);
  // `look`: CSS classes. `title`: plain text, shown on pointing; empty: none.
  void line(Point a, Point b, std::string_view look);
  void rect(Point corner, double width, double height, std::string_view look, std::string_view title = {});
  void circle(Point centre, double radius, std::string_view look, std::string_view title = {});
  void cross(Point centre, double radius, std::string_view look, std::string_view title = {});
  void path(const std::vector<Point>& points, std::string_view look);
  void area(const std::vector<Point>& points, std::string_view look);
  void text(Point at, Anchor anchor, std::string_view text, std::string_view look = {});
  double width() const { return width_; }
  double height() const { return height_; }
  std::string markup() const;

 private:
  void close(std::string_view element, std::string_view title);
  double width_, height_;
  std::string body_;
};

}  // namespace everlearn
