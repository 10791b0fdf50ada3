"""The café's pages, and where they save."""

from django.urls import path

from . import views

urlpatterns = [
    path("", views.board, name="board"),
    path("room/", views.room, name="room"),
    path("orders/", views.add_orders, name="orders"),
    path("orders/<int:pk>/", views.change_order, name="order"),
    path("orders/<int:pk>/delete/", views.delete_order, name="delete-order"),
    path("dishes/<int:pk>/", views.change_dish, name="dish"),
]
